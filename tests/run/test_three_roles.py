"""Attacks that learn from retained rows of shadow models: what they are shown, in a game and in a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, Observations, ShadowView, View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.game import Game, game_seeds

REQUESTS = 4
SIZES = {"originals": 5, "requests": 10, "records": 150, "negatives": 12, "matched": 2, "retained": 6}
AIMS = ("forgotten", "retained", "trained", "verdict")


def side(seed: int, forgotten: int, originals: int = 5, retained: int = 3) -> Observations:
    """Rows of requests that forget ``forgotten`` records each."""
    rng = np.random.default_rng(seed)
    counts = {Role.FORGOTTEN: forgotten, Role.UNSEEN: 6, Role.MATCHED: 1, Role.RETAINED: retained}
    role = np.repeat(list(counts), list(counts.values())).astype(np.int8)
    pairs = originals * REQUESTS
    roles, n = np.tile(role, pairs), pairs * len(role)
    before, after = (log_softmax(rng.normal(size=(n, 3))) for _ in range(2))
    return Observations(
        before=before,
        after=after[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([np.isin(roles, (Role.FORGOTTEN, Role.RETAINED)), roles == Role.RETAINED], axis=1),
        label=rng.integers(3, size=n),
        record=rng.permutation(n),
        episode=np.repeat(np.arange(originals), n // originals),
        request=np.tile(np.repeat(np.arange(REQUESTS), len(role)), originals),
        role=roles,
        position=np.tile(np.concatenate([np.arange(count) for count in counts.values()]), pairs),
    )


def made(forgotten: int = 2, retained: int = 3) -> Game:
    target, shadow = side(1, forgotten), side(2, forgotten, retained=retained)
    x = np.random.default_rng(3).normal(size=(len(target), 2))
    records = Records("made", x, np.zeros(len(x), dtype=np.int64), 3, Provenance("made here", "CC0"))
    seeds = game_seeds(0, records)
    return Game.of(records, [target], [shadow], positive=Role.FORGOTTEN, negative=Role.UNSEEN, seeds=seeds)


@dataclass
class Recorder(Attack):
    """Keeps what it learns from, and counts the rows that it scores."""

    declared: Needs = field(default_factory=lambda: Needs(retained=True))
    fitted_on: list[ShadowView] = field(default_factory=list)

    @property
    def needs(self) -> Needs:
        return self.declared

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        self.fitted_on.append(shadow)
        return Key()


class Key:
    def score(self, view: View) -> NDArray[np.float64]:
        return np.asarray((view.key >> np.uint64(11)) * 2.0**-53, dtype=np.float64)


@pytest.mark.parametrize(("forgotten", "kept"), [(1, 1), (2, 2), (5, 3)])
def test_as_many_retained_rows_as_forgotten_ones_are_learned_from_where_there_are_so_many(
    forgotten: int, kept: int
) -> None:
    recorder = Recorder()
    attack_scores(made(forgotten), recorder, "recorder")
    shadow, requests = recorder.fitted_on[0], 5 * REQUESTS
    unseen = ~shadow.deleted & ~shadow.retained
    assert [rows.sum() for rows in (shadow.deleted, unseen, shadow.retained)] == [
        forgotten * requests,
        forgotten * requests,
        kept * requests,
    ]
    assert shadow.member[shadow.retained].all()
    assert not shadow.member[unseen].any()
    assert not (np.diff(shadow.episode) >= 0).all(), "rows are shuffled"


def test_a_fold_leaves_out_the_retained_rows_of_its_original_too() -> None:
    recorder = Recorder()
    attack_scores(made(), recorder, "recorder")
    _, *folds = recorder.fitted_on
    assert [sorted(set(range(5)) - set(shadow.episode.tolist())) for shadow in folds] == [[k] for k in range(5)]
    assert all(np.array_equal(np.unique(s.episode[s.retained]), np.unique(s.episode)) for s in folds)


def test_shadow_scores_are_of_the_balanced_game_whatever_an_attack_learns_from() -> None:
    game = made()
    with_retained, without = (attack_scores(game, Recorder(Needs(retained=r)), "same") for r in (True, False))
    assert with_retained.shadow.tobytes() == without.shadow.tobytes()
    assert with_retained.target.tobytes() == without.target.tobytes()
    assert len(without.shadow) == len(game.balanced)


def test_others_are_shown_what_they_were_shown_before() -> None:
    """Retained rows of the shadow side change nothing for an attack that does not declare them."""
    recorders = Recorder(Needs()), Recorder(Needs())
    for game, recorder in zip((made(), made(retained=0)), recorders, strict=True):
        attack_scores(game, recorder, "recorder")
    first, second = (recorder.fitted_on[0] for recorder in recorders)
    assert len(first) == len(second) == 2 * 2 * 5 * REQUESTS
    assert np.array_equal(first.deleted, second.deleted)


def test_shadow_models_without_retained_rows_are_refused() -> None:
    with pytest.raises(
        UserError, match=r"^the attack needs retained records of shadow models, and there are none here$"
    ):
        attack_scores(made(retained=0), Recorder(), "recorder")


@dataclass
class ByRequests(Attack):
    """Calls a row retained if its view holds several requests: views of positives and negatives hold one."""

    needs: ClassVar[Needs] = Needs(retained=True)

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        return self

    def score(self, view: View) -> NDArray[np.float64]:
        return np.full(len(view), float(len(np.unique(view.request)) > 1))


@dataclass
class BySize(ByRequests):
    """Calls a row retained by the number of rows in its view."""

    def score(self, view: View) -> NDArray[np.float64]:
        return np.full(len(view), float(len(view)))


@pytest.mark.parametrize("attack", [ByRequests(), BySize()], ids=lambda attack: type(attack).__name__)
def test_an_attack_that_knows_retained_rows_by_their_company_fails(attack: Attack) -> None:
    with pytest.raises(ValueError, match="another score"):
        attack_scores(made(), attack, "cheat")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, lab_in: Any) -> Any:
    """Fully grown trees, which know all their members: retrained, or kept as they are."""
    return lab_in(tmp_path_factory.mktemp("three-roles")).run(
        only=("unlearner=retrain", "unlearner=none"),
        datasets=["digits"],
        models=[{"name": "decision-tree", "params": {"max_leaf_nodes": None}}],
        unlearners=["retrain", "none"],
        attacks=[{"name": "tri-class", "params": {"score": score}} for score in AIMS],
        metrics=["auc", "one-vs-rest", "confusion"],
        episodes=SIZES,
    )


def value(ran: Any, unlearner: str, score: str, metric: str) -> float:
    label = "tri-class" if score == "forgotten" else f"tri-class(score={score})"
    (found,) = (r for r in ran.rows if r.axes["attack"].label == label and r.axes["unlearner"].name == unlearner)
    assert found.status == "ok", found.reason
    return float(found.metrics[metric].value)


def test_after_retraining_the_three_roles_are_told_apart(ran: Any) -> None:
    assert value(ran, "retrain", "forgotten", "auc-forgotten-rest") > 0.6
    assert value(ran, "retrain", "retained", "auc-retained-rest") > 0.6
    assert value(ran, "retrain", "trained", "auc-rest-unseen") > 0.6


def test_where_nothing_is_deleted_forgotten_records_are_retained_ones(ran: Any) -> None:
    """By no score are they told from retained ones; from unseen ones they are, since the tree still knows them."""
    for score in AIMS:
        assert value(ran, "none", score, "auc-retained") == pytest.approx(0.5, abs=0.08)
    assert value(ran, "none", "trained", "auc") > 0.55


def test_the_named_shares_of_a_role_sum_to_1(ran: Any) -> None:
    for role in ("forgotten", "retained", "unseen"):
        shares = [
            value(ran, "retrain", "verdict", f"{role}-named-{name}") for name in ("forgotten", "retained", "unseen")
        ]
        assert sum(shares) == pytest.approx(1)


def test_an_adversary_that_queries_no_retained_records_is_skipped_with_the_reason(lab: Any) -> None:
    plan = lab.plan(attacks=["tri-class", "sorted-diff"], adversary={"retained": 0})
    skipped = {cell.names["attack"]: cell.reason for cell in plan.skipped}
    assert skipped["tri-class"] == "learns from retained records of shadow models, the suite's adversary queries none"
    assert "sorted-diff" not in skipped
