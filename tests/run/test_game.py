from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import unlearnbench
from unlearnbench.builtin.attacks.u_lira import ULira
from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.core.attacks import Attack, FittedAttack, ScoreAttack
from unlearnbench.core.copies import SCALES, copy_ids
from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, Observations, ShadowView, UndeclaredNeedError, View
from unlearnbench.core.posteriors import log_odds, log_softmax
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.releasing import release, with_references
from unlearnbench.stats import auc

REQUESTS, NEGATIVES, COPIES = 4, 9, 8
PACKAGE = Path(unlearnbench.__file__).parent
ATTACKS = [
    found.name
    for found in load_registry(discover=False).all("attack")
    if isinstance(found.plugin, AttackPlugin) and not found.plugin.knows_truth
]
"""Every registered attack but the one that is handed the truth."""


def side(seed: int, originals: int = 6, leak: float = 2.0) -> Observations:
    """Rows in a telling order: of each request first the forgotten record, then unseen, matched and retained ones."""
    rng = np.random.default_rng(seed)
    role = np.r_[[Role.FORGOTTEN], [Role.UNSEEN] * NEGATIVES, [Role.MATCHED] * 2, [Role.RETAINED] * 3].astype(np.int8)
    place = np.concatenate([np.arange(np.count_nonzero(role == r)) for r in dict.fromkeys(role)])
    n = originals * REQUESTS * len(role)
    roles = np.tile(role, originals * REQUESTS)
    logits = rng.normal(size=(n, 3))
    moved = logits.copy()
    moved[:, 0] -= leak * (roles == Role.FORGOTTEN) + 0.1 * rng.normal(size=n)
    was_in = np.isin(roles, (Role.FORGOTTEN, Role.RETAINED))
    return Observations(
        before=log_softmax(logits),
        after=log_softmax(moved)[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([was_in, roles == Role.RETAINED], axis=1),
        label=rng.integers(3, size=n),
        record=rng.permutation(n),
        episode=np.repeat(np.arange(originals), n // originals),
        request=np.tile(np.repeat(np.arange(REQUESTS), len(role)), originals),
        role=roles,
        position=np.tile(place, originals * REQUESTS),
    )


def make_game(originals: int = 6) -> Game:
    target, shadow = side(1, originals), side(2, originals)
    x = np.random.default_rng(3).normal(size=(len(target), 4))
    records = Records("made", x, np.zeros(len(x), dtype=np.int64), 3, Provenance("made here", "CC0"))
    made = Game.of(
        records,
        [target],
        [shadow],
        seeds=game_seeds(0, records),
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        population=[population(originals)],
    )
    return replace(
        made,
        references=tuple(reference_model(target, number) for number in range(16)),
        copies={"target": noisy_copies(target, records), "shadow": noisy_copies(shadow, records)},
        boundary={"target": distances(target), "shadow": distances(shadow)},
    )


def distances(rows: Observations) -> BoundaryRows:
    """Random distances to the decision boundary for each row."""
    found = np.random.default_rng(10).exponential(size=(len(rows), 2))
    return BoundaryRows(found, np.full(found.shape, 100))


def noisy_copies(rows: Observations, records: Records) -> Observations:
    """Rows of the copies of each row's record, with random answers."""
    each = COPIES * len(SCALES)
    asked = rows.take(np.repeat(np.arange(len(rows)), each))
    before, after = log_softmax(np.random.default_rng(9).normal(size=(2, *asked.before.shape)))
    record = copy_ids(records, rows.record, COPIES).ravel()
    position = np.tile(np.arange(each), len(rows))
    return replace(asked, before=before, after=after[:, None], record=record, position=position)


def reference_model(target: Observations, number: int) -> Observations:
    """Rows of all queried records, ascending; every second model holds a record."""
    rows = target.take(np.argsort(target.record))
    member = np.stack([(rows.record + number) % 2 == 0, np.zeros(len(rows), dtype=np.bool_)], axis=1)
    rng = np.random.default_rng(number)
    before, after = (log_softmax(np.log(0.1) + rng.normal(size=rows.before.shape)) for _ in range(2))
    episode = np.full(len(rows), number)
    return replace(rows, before=before, after=after[:, None], member=member, episode=episode)


def population(originals: int, size: int = 100) -> Observations:
    """Rows of the same records for each request."""
    one = side(7, originals)
    pairs = np.repeat(np.flatnonzero(one.role == Role.FORGOTTEN), size)
    rows, n = one.take(pairs), len(pairs) // size
    answers = log_softmax(np.random.default_rng(8).normal(size=rows.before.shape))
    place = np.tile(np.arange(size), n)
    return replace(rows, before=answers, after=answers[:, None], record=place, position=place)


@pytest.fixture(scope="module")
def game() -> Game:
    return make_game()


def auc_of(game: Game, scores: NDArray[np.float64]) -> float:
    rows = np.isin(game.target.role, (Role.FORGOTTEN, Role.UNSEEN))
    return auc(scores[rows], game.deleted(game.target)[rows])


@pytest.mark.parametrize("name", ATTACKS)
def test_target_membership_and_roles_change_no_score(game: Game, registry: Registry, name: str) -> None:
    attack = build(registry.get("attack", name), {})
    assert isinstance(attack, Attack)
    honest, mixed = (attack_scores(g, attack, name) for g in (game, replace(game, target=mix(game.target))))
    assert honest.target.tobytes() == mixed.target.tobytes()
    assert honest.shadow.tobytes() == mixed.shadow.tobytes()


def mix(rows: Observations) -> Observations:
    """Give rows the membership, roles and positions of other rows."""
    order = np.random.default_rng(0).permutation(len(rows))
    return replace(rows, member=rows.member[order], role=rows.role[order], position=rows.position[order])


def test_views_are_made_by_the_game_alone() -> None:
    """What an attack is shown on any path of the package comes from the two methods that the tests here are about."""
    makers = [
        str(file.relative_to(PACKAGE))
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("View", "ShadowView")
    ]
    assert {file for file in makers if not file.startswith("testing")} == {str(Path("run") / "game.py")}


@dataclass
class ByPlace(ScoreAttack):
    """Scores a row by its place in its request, since whoever lays rows out puts the deleted one first."""

    def score(self, view: View) -> NDArray[np.float64]:
        place = np.empty(len(view))
        group = view.episode * REQUESTS + view.request
        for number in np.unique(group):
            place[group == number] = np.arange(np.count_nonzero(group == number))
        return -place


def test_the_order_of_rows_tells_nothing() -> None:
    game = make_game(originals=60)
    by_place = np.empty(len(game.target))
    for company in game.companies:
        view, order = game.view("target", Needs(), company.rows, game.seeds / company.parts[0] / company.parts[1])
        by_place[company.rows[order]] = ByPlace().score(view)
    assert auc_of(game, by_place) == pytest.approx(0.5, abs=0.06)
    laid_out = View(Needs(), 3, game.target.episode, game.target.request, *[np.empty(0)] * 10)  # type: ignore[arg-type]  # unread
    assert auc_of(game, ByPlace().score(laid_out)) == 1, "without shuffling the place would give all away"


def test_rows_are_in_company_of_those_they_could_be_exchanged_with(game: Game) -> None:
    """Deleted and unseen rows of a request are in one view; matched and retained rows of an original in two others."""
    assert np.array_equal(
        np.sort(np.concatenate([company.rows for company in game.companies])), np.arange(len(game.target))
    )
    mixed, alike = game.companies[: 6 * REQUESTS], game.companies[6 * REQUESTS :]
    for company in mixed:
        rows = game.target.take(company.rows)
        assert sorted(rows.role.tolist()) == [Role.FORGOTTEN] + [Role.UNSEEN] * NEGATIVES
        assert len(np.unique(rows.episode)) == len(np.unique(rows.request)) == 1
    assert len(alike) == 2 * 6
    for company in alike:
        rows = game.target.take(company.rows)
        assert len(set(rows.role.tolist())) == len(np.unique(rows.episode)) == 1
        assert len(np.unique(rows.request)) == REQUESTS


def test_a_row_has_the_same_key_in_any_view_and_another_key_than_other_rows(game: Game) -> None:
    rows = np.arange(len(game.target))
    view, order = game.view("target", Needs(), rows, game.seeds / "one")
    keys = np.empty(len(rows), dtype=np.uint64)
    keys[order] = view.key
    assert len(np.unique(keys)) == len(rows)
    other, order = game.view("target", Needs(versions="none"), rows[5:40], game.seeds / "other")
    assert np.array_equal(other.key, keys[5:40][order])


def test_how_often_a_record_recurs_in_a_request_tells_nothing(game: Game) -> None:
    record = game.target.record.copy()
    record[game.target.role == Role.UNSEEN] = np.tile(record[:NEGATIVES], np.sum(game.target.role == Role.UNSEEN) // 9)
    record[game.target.role == Role.MATCHED] = record[0]  # matched and random at once
    recurring = replace(game, target=replace(game.target, record=record))
    for company in recurring.companies:
        queried = np.stack([recurring.target.request, record])[:, company.distinct]
        assert np.unique(queried, axis=1).shape[1] == len(company.distinct)
        assert np.array_equal(record[company.rows], record[company.distinct][company.inverse])


@dataclass
class Recorder(Attack):
    """Keeps what it is shown."""

    declared: Needs = field(default_factory=lambda: Needs(label=True, features=True))
    fitted_on: list[ShadowView] = field(default_factory=list)
    scored: list[View] = field(default_factory=list)
    pairs: list[tuple[set[int], set[int]]] = field(default_factory=list)

    @property
    def needs(self) -> Needs:
        return self.declared

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        self.fitted_on.append(shadow)
        return Fitted(self, set(shadow.episode.tolist()))


@dataclass
class Fitted:
    recorder: Recorder
    seen: set[int]

    def score(self, view: View) -> NDArray[np.float64]:
        self.recorder.scored.append(view)
        self.recorder.pairs.append((self.seen, set(view.episode.tolist())))
        return np.zeros(len(view))


def test_attacks_are_fitted_on_a_balanced_shuffled_game(game: Game) -> None:
    recorder = Recorder()
    attack_scores(game, recorder, "recorder")
    shadow = recorder.fitted_on[0]
    assert shadow.deleted.sum() == (~shadow.deleted).sum() == 6 * REQUESTS
    assert not (np.diff(shadow.episode) >= 0).all()
    np.testing.assert_array_equal(shadow.member[:, 0], shadow.deleted)


def test_each_side_shows_features_of_its_own_records(game: Game) -> None:
    elsewhere = replace(game.shadow_records, x=game.shadow_records.x + 100)
    recorder = Recorder()
    attack_scores(replace(game, shadow_records=elsewhere), recorder, "recorder")
    n = len(game.companies)
    requests, rest = recorder.scored[:n], recorder.scored[n:]
    folds, targets = rest[::2], rest[1::2]
    assert all((shown.features > 50).all() for shown in (*recorder.fitted_on, *folds))
    assert all((shown.features < 50).all() for shown in (*requests, *targets))


def test_a_view_holds_neither_role_nor_membership_nor_record(game: Game) -> None:
    recorder = Recorder()
    attack_scores(game, recorder, "recorder")
    assert {"role", "member", "deleted", "record", "position"}.isdisjoint(vars(recorder.scored[0]))


READS: dict[str, Callable[[View], object]] = {
    "before": lambda view: view.before,
    "after": lambda view: view.after,
    "label": lambda view: view.label,
    "features": lambda view: view.features,
}


@pytest.mark.parametrize("what", READS)
def test_what_is_not_declared_is_refused_and_not_even_there(game: Game, what: str) -> None:
    allowed = {
        "before": Needs(versions="unlearned", label=True, features=True),
        "after": Needs(versions="original", label=True, features=True),
        "label": Needs(features=True),
        "features": Needs(label=True),
    }[what]
    recorder = Recorder(allowed)
    attack_scores(game, recorder, "recorder")
    for view in (recorder.scored[0], recorder.fitted_on[0]):
        with pytest.raises(UndeclaredNeedError, match="does not declare"):
            READS[what](view)
        assert getattr(view, f"_{what}").size == 0
        for other in READS.keys() - {what}:
            assert len(READS[other](view)) == len(view)  # type: ignore[arg-type]  # arrays


@dataclass
class KeyRecorder(ReleaseDefense):
    seen: list[ReleaseKeys] = field(default_factory=list)

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        self.seen.append(keys)
        return log_posteriors


def test_release_keys_differ_by_side_version_and_row(game: Game) -> None:
    defense = KeyRecorder()
    release(game, defense)
    told = [
        set(
            zip(
                [k.seed] * len(k.record),
                *(a.tolist() for a in (k.episode, k.request, k.version, k.record)),
                strict=True,
            )
        )
        for k in defense.seen
    ]
    assert len(told) == 2 * (2 + 16 + 1 + 2)  # two versions of sides, of reference models, of the population, of copies
    copies = 2 * COPIES * len(SCALES) * len(game.target)
    assert sum(map(len, told)) == len(set().union(*told)) == 2 * ((2 + 16) * len(game.target) + 24 * 100 + copies)
    assert len({keys.seed for keys in defense.seen}) == 4


def test_more_reference_models_are_released_as_with_the_game_and_its_rows_not_again(game: Game) -> None:
    noise, defense = PosteriorNoise(), KeyRecorder()
    whole, rows = release(game, noise), release(replace(game, references=()), noise)
    for number in (3, 16):
        found = with_references(rows, game.references[:number], noise)
        assert found.target is rows.target
        assert found.population is rows.population
        for one, other in zip(found.references, whole.references, strict=False):
            assert np.array_equal(one.before, other.before)
            assert np.array_equal(one.after, other.after)
    with_references(rows, game.references[:3], defense)
    assert len(defense.seen) == 2 * 3


def test_both_sides_go_through_the_defense_and_nothing_else_changes(game: Game) -> None:
    class Flat(ReleaseDefense):
        def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
            return np.full_like(log_posteriors, -np.log(3))

    flat = release(game, Flat())
    for seen, real in ((flat.target, game.target), (flat.shadow, game.shadow)):
        assert np.unique(seen.before).size == np.unique(seen.after).size == 1
        assert seen.role is real.role
        assert seen.member is real.member


@pytest.mark.parametrize("answer", [lambda p: p[:, :1], lambda p: np.full_like(p, np.nan), lambda p: p[:-1]])
def test_a_defense_must_release_finite_posteriors_of_the_same_shape(game: Game, answer: Callable[..., object]) -> None:
    class Bad(ReleaseDefense):
        def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
            return answer(log_posteriors)  # type: ignore[return-value]  # one of the lambdas above

    with pytest.raises(ValueError, match="a defense must release log-posteriors"):
        release(game, Bad())


def test_references_that_are_not_there_are_refused(game: Game) -> None:
    with pytest.raises(UserError, match=r"^the attack needs 64 reference models, and there are 16 here$"):
        attack_scores(game, Recorder(Needs(references=64)), "recorder")
    without = replace(game, references=(), population=None)
    with pytest.raises(UserError, match=r"^the attack needs 1 reference models, and there are none here$"):
        attack_scores(without, Recorder(Needs(references=1)), "recorder")


def test_a_larger_population_than_there_is_is_refused(game: Game) -> None:
    with pytest.raises(UserError, match=r"^the attack needs 101 records of the population, and there are 100 here$"):
        attack_scores(game, Recorder(Needs(population=101)), "recorder")
    with pytest.raises(UserError, match=r"^the attack needs 1 records of the population, and there are none here$"):
        attack_scores(replace(game, population=None), Recorder(Needs(population=1)), "recorder")


def test_a_row_is_shown_what_the_first_reference_models_answer_about_its_record(game: Game) -> None:
    rows = np.arange(40)
    view, order = game.view("target", Needs(references=3), rows, game.seeds)
    for place, row in enumerate(order):
        record = game.target.record[row]
        for number, model in enumerate(game.references[:3]):
            (own,) = np.flatnonzero(model.record == record)
            of_label = log_odds(model.before[own][None], model.label[own][None])[0]
            assert view.references.before[place, number] == of_label
            assert view.references.member[place, number] == model.member[own, 0]
    assert view.references.after.shape == (40, 3)


def test_a_row_is_shown_the_population_of_its_own_original_and_request(game: Game) -> None:
    rows = np.arange(len(game.target))
    view, order = game.view("target", Needs(versions="unlearned", population=30, references=2), rows, game.seeds)
    asked = game.population
    assert asked is not None
    for place in range(0, len(rows), 37):
        row = order[place]
        own = (asked.episode == game.target.episode[row]) & (asked.request == game.target.request[row])
        expected = log_odds(asked.after[own][:, -1], asked.label[own])[:30]
        assert np.array_equal(view.population.after[view.population.group[place]], expected)
    assert view.population.before.shape == (24, 0)
    assert view.population.references is not None
    assert view.population.references.after.shape == (30, 2)


def test_shadow_rows_have_no_answers_of_reference_models(game: Game) -> None:
    needs = Needs(references=2, population=5)
    view = game.shadow_view(needs, np.arange(10), game.seeds)
    with pytest.raises(ValueError, match="shadow rows have no answers of reference models"):
        _ = view.references
    with pytest.raises(ValueError, match="shadow rows have no answers of the population"):
        _ = view.population


@pytest.mark.parametrize("what", ["references", "population"])
def test_reference_models_and_population_must_be_declared(game: Game, what: str) -> None:
    view, _ = game.view("target", Needs(), np.arange(10), game.seeds)
    with pytest.raises(UndeclaredNeedError):
        getattr(view, what)


def test_no_shadow_row_is_scored_by_reference_models(game: Game) -> None:
    scores = attack_scores(game, ULira(), "u-lira")
    assert len(scores.shadow) == len(scores.folds) == 0
    assert len(scores.target) == len(game.target)
