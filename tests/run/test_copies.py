"""Noisy copies in a run: what models answer about them, by whom they are released, and who is shown what."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.augmentation import Augmentation
from unlearnbench.builtin.defenses.posterior_noise import PosteriorNoise
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.copies import SCALES, copy_ids, noisy_copies
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import Needs, Observations, UndeclaredNeedError, View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Queries, Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.copy_table import CopyTable, copy_rows
from unlearnbench.run.episode_arrays import from_arrays, to_arrays
from unlearnbench.run.episodes import observe
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import parts_of
from unlearnbench.run.releasing import release

COPIES = 3
SIZES = {"originals": 5, "requests": 8, "records": 150, "negatives": 12, "matched": 2, "retained": 6}
TREE = {"name": "decision-tree", "params": {"max_leaf_nodes": None}}
LABEL_ONLY = ["augmentation", "augmentation-fall", "noise-robustness", "noise-robustness-fall"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, lab_in: Any) -> Any:
    """Fully grown trees, which know all their members: retrained, or kept as they are; labels only are released."""
    return lab_in(tmp_path_factory.mktemp("copies")).run(
        only=("unlearner=retrain", "unlearner=none"),
        datasets=["digits"],
        models=[TREE],
        unlearners=["retrain", "none"],
        defenses=["none", "label-only"],
        attacks=LABEL_ONLY,
        metrics=["auc"],
        episodes=SIZES,
        adversary={"copies": 8},
    )


def found(ran: Any, attack: str, unlearner: str, defense: str = "none") -> Estimate:
    row = ran.row(attack=attack, unlearner=unlearner, defense=defense)
    assert row.status == "ok", row.reason
    return row.metrics["auc"]  # type: ignore[no-any-return]  # an estimate


def auc(ran: Any, attack: str, unlearner: str, defense: str = "none") -> float:
    value = found(ran, attack, unlearner, defense).value
    assert value is not None
    return value


@pytest.mark.parametrize("attack", ["augmentation", "noise-robustness"])
def test_a_tree_that_keeps_records_gives_their_copies_their_labels(ran: Any, attack: str) -> None:
    assert auc(ran, attack, "none") > 0.55


@pytest.mark.parametrize("attack", ["augmentation", "noise-robustness"])
def test_records_that_a_tree_never_saw_are_not_found(ran: Any, attack: str) -> None:
    assert found(ran, attack, "retrain").details["p_above_half"] > 0.05


@pytest.mark.parametrize("attack", ["augmentation-fall", "noise-robustness-fall"])
def test_the_fall_finds_retrained_records_and_nothing_where_nothing_changes(ran: Any, attack: str) -> None:
    assert auc(ran, attack, "retrain") > 0.6
    assert auc(ran, attack, "none") == 0.5


@pytest.mark.parametrize("attack", LABEL_ONLY)
def test_they_find_as_much_where_only_labels_are_released(ran: Any, attack: str) -> None:
    for unlearner in ("none", "retrain"):
        assert auc(ran, attack, unlearner, "label-only") == auc(ran, attack, unlearner)


def test_an_episode_is_the_same_with_and_without_copies(lab: Any) -> None:
    """All that others read is as it was; the copies are added, and stored."""
    plain, asked = (lab.plan(only=("unlearner=retrain",), adversary={"copies": c}) for c in (0, COPIES))
    instances = PluginInstances(lab.load()[1])
    first, second = (next(iter(plan.episodes.values())) for plan in (plain, asked))
    assert first.key != second.key
    one, other = observe(parts_of(first, instances)), observe(parts_of(second, instances))
    ours, theirs = to_arrays(one), to_arrays(other)
    assert {name: ours[name].tobytes() for name in ours} == {name: theirs[name].tobytes() for name in ours}
    assert {name.partition("-")[0] for name in theirs.keys() - ours.keys()} == {"copies"}
    again = from_arrays(theirs, other.seconds)
    assert again.copies is not None
    assert other.copies is not None
    assert again.copies.after.tobytes() == other.copies.after.tobytes()


def test_answers_are_those_of_the_models_about_the_points(lab: Any) -> None:
    """A naive loop: each copy of each queried record, asked one by one, by a model trained anew."""
    plan = lab.plan(only=("unlearner=retrain",), adversary={"copies": 2})
    task = next(iter(plan.episodes.values()))
    made = parts_of(task, PluginInstances(lab.load()[1]))
    episode = observe(made)
    original, rows, copies = made.make_original(), episode.observations, episode.copies
    assert copies is not None
    assert len(copies) == len(rows) * 2 * len(SCALES)
    records, seeds = made.records, SeedPath(made.seed) / made.records.name / "copies"
    for place, record in enumerate(rows.record[:12]):
        points = noisy_copies(records, np.array([record]), 2, seeds).reshape(2 * len(SCALES), -1)
        for number, point in enumerate(points):
            row = place * 2 * len(SCALES) + number
            assert np.array_equal(copies.before[row], original.fitted.log_posteriors(point[None])[0])
            assert copies.record[row] == copy_ids(records, np.array([record]), 2).ravel()[number]
            assert (copies.label[row], copies.request[row]) == (records.y[record], rows.request[place])


def test_more_copies_keep_the_answers_about_the_first(lab: Any) -> None:
    instances = PluginInstances(lab.load()[1])
    tables = []
    for count in (1, 4):
        plan = lab.plan(only=("unlearner=retrain",), adversary={"copies": count})
        made = parts_of(next(iter(plan.episodes.values())), instances)
        copies = observe(made).copies
        assert copies is not None
        tables.append(CopyTable.of(copies, len(made.records)))
    assert np.array_equal(tables[0].after, tables[1].after[:, :1])
    assert np.array_equal(tables[0].before, tables[1].before[:, :1])


def test_an_attack_that_needs_more_copies_than_there_are_is_skipped_with_both_numbers(lab: Any) -> None:
    plan = lab.plan(attacks=["augmentation", "gap"], adversary={"copies": 2})
    reasons = {cell.names["attack"]: cell.reason for cell in plan.skipped}
    assert reasons["augmentation"] == "needs 8 noisy copies of a record, the suite's adversary offers 2"
    assert "gap" not in reasons


MINE = """
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class Certain(ScoreAttack):
    needs = Needs(versions="unlearned", copies=2)

    def score(self, view):
        return view.copies.after.max(axis=-1).mean(axis=(1, 2))

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="certain", summary="How sure of copies.", factory=Certain, versions="unlearned")
"""


def test_an_attack_of_ones_own_gets_them_in_its_process(lab: Any) -> None:
    ran = lab.run(attacks=["certain"], plugins=[lab.plugin(MINE)], adversary={"copies": 2})
    assert ran.row(attack="certain").status == "ok"


# A game by hand: two sides, whose copies are asked about.


def made(copies: int = COPIES) -> Game:
    """Return a game whose answers about copies are random, different for each."""
    rng, originals, requests = np.random.default_rng(0), 3, 2
    x = rng.normal(size=(600, 2))
    records = Records("made", x, rng.integers(2, size=600), 2, Provenance("made here", "CC0"))
    sides: dict[str, list[Observations]] = {}
    asked: dict[str, list[Observations]] = {}
    for side, first in (("target", 0), ("shadow", 300)):
        sides[side], asked[side] = [], []
        for place in np.ndindex(originals, requests):
            ids = first + rng.permutation(300)[:6]
            queried = Queries.of({Role.FORGOTTEN: ids[:1], Role.UNSEEN: ids[1:]})
            answers = log_softmax(rng.normal(size=(2, 6 * copies * len(SCALES), 2)))
            asked[side].append(copy_rows(records, queried, place, answers))
            before, after = log_softmax(rng.normal(size=(2, 6, 2)))
            member = np.stack([queried.role == Role.FORGOTTEN, np.zeros(6, dtype=np.bool_)], axis=1)
            episode, request = (np.full(6, number) for number in place)
            sides[side].append(
                Observations(
                    before=before,
                    after=after[:, None],
                    versions=np.ones(6, dtype=np.int64),
                    member=member,
                    label=records.y[ids],
                    record=ids,
                    episode=episode,
                    request=request,
                    role=queried.role,
                    position=queried.position,
                )
            )
    return Game.of(
        records,
        sides["target"],
        sides["shadow"],
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        seeds=game_seeds(0, records),
        copies=asked,  # type: ignore[arg-type]  # the two sides
    )


@dataclass
class Recorder(ScoreAttack):
    """Keeps the views that it scores."""

    declared: Needs
    views: list[View] = field(default_factory=list)

    @property
    def needs(self) -> Needs:
        return self.declared

    def score(self, view: View) -> NDArray[np.float64]:
        self.views.append(view)
        return np.zeros(len(view))


def test_each_row_is_shown_the_answers_about_its_own_copies() -> None:
    game = made()
    for side, observed in (("target", game.target), ("shadow", game.lesson)):
        rows, copies = np.arange(len(observed)), game.copies[side]  # type: ignore[index]  # a side
        view, order = game.view(side, Needs(copies=2), rows, game.seeds / "one")  # type: ignore[arg-type]  # a side
        for place, row in enumerate(rows[order]):
            mine = (copies.episode == observed.episode[row]) & (copies.request == observed.request[row])
            mine &= copies.record % 600 == observed.record[row]
            assert mine.sum() == COPIES * len(SCALES)
            expected = copies.after[mine, 0].reshape(COPIES, len(SCALES), 2)[:2]
            assert np.array_equal(view.copies.after[place], expected)


def test_what_is_not_declared_is_not_there() -> None:
    game, rows = made(), np.arange(4)
    for versions, gone in (("unlearned", "before"), ("original", "after")):
        view, _ = game.view("target", Needs(versions=versions, copies=1), rows, game.seeds / "one")  # type: ignore[arg-type]  # versions
        assert getattr(view.copies, gone).size == 0
    view, _ = game.view("target", Needs(), rows, game.seeds / "one")
    with pytest.raises(UndeclaredNeedError, match="reads answers about noisy copies"):
        _ = view.copies
    assert view._copies is None


def test_shadow_rows_have_copies_and_can_be_chosen() -> None:
    game = made()
    shadow = game.shadow_view(Needs(copies=2), game.learned(Needs(copies=2)), game.seeds / "fit")
    half = shadow.take(shadow.deleted)
    assert np.array_equal(half.copies.after, shadow.copies.after[shadow.deleted])


@pytest.mark.parametrize(("there", "told"), [(COPIES, "3"), (0, "none")])
def test_more_copies_than_there_are_are_refused(there: int, told: str) -> None:
    game = made() if there else replace(made(), copies={})
    with pytest.raises(UserError, match=rf"^the attack needs 4 noisy copies of a record, and there are {told} here$"):
        attack_scores(game, Recorder(Needs(copies=4)), "recorder")


def test_a_defense_releases_copies_too_with_noise_of_its_own_for_each() -> None:
    game = made()
    released = release(game, PosteriorNoise())
    for side, rows in game.copies.items():
        noise = np.exp(released.copies[side].after[:, 0, 0]) - np.exp(rows.after[:, 0, 0])
        assert len(np.unique(noise.round(12))) > 0.9 * len(rows)


def test_scores_of_label_only_attacks_are_of_single_rows() -> None:
    """The check of a run passes: in other company and alone a row has the same score."""
    found = attack_scores(made(), Augmentation(copies=COPIES), "augmentation")
    assert len(np.unique(found.target)) > 2
    assert len(found.shadow) == len(made().balanced), "shadow rows are scored too"


class Neighbours(ScoreAttack):
    """Cheats: compares the copies of a row with those of the other rows."""

    needs = Needs(copies=COPIES)

    def score(self, view: View) -> NDArray[np.float64]:
        own = view.copies.after.mean(axis=(1, 2, 3))
        return np.asarray(own - own.mean())


def test_an_attack_that_compares_copies_of_other_rows_fails() -> None:
    with pytest.raises(ValueError, match="another score"):
        attack_scores(made(), Neighbours(), "cheat")
