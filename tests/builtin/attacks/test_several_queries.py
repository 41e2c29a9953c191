"""The attack on a record and its noisy copies: a worked example, no trace, and a trace under shared and fresh draws."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.builtin.attacks.attack_models import AttackModel
from unlearnbench.builtin.attacks.features import sorted_diff
from unlearnbench.builtin.attacks.several_queries import SeveralQueries
from unlearnbench.builtin.attacks.sorted_diff import SortedDiff
from unlearnbench.core.attacks import Baseline
from unlearnbench.core.copies import SCALES, CopyAnswers
from unlearnbench.core.observations import Needs, ShadowView, UndeclaredNeedError, View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.testing.samples import SampleRows, game, game_of

Numbers = NDArray[np.float64]
COPIES = 8


@dataclass(frozen=True)
class Game:
    """Rows, and what the models answer about their copies."""

    rows: SampleRows
    answers: CopyAnswers

    def view(self, attack: SeveralQueries) -> View:
        return replace(self.rows.view(attack.needs), _copies=self.answers)

    def shadow(self, attack: SeveralQueries) -> ShadowView:
        return replace(self.rows.shadow(attack.needs), _copies=self.answers)


def draws(seed: int, trace: float, fresh: float, n: int = 1000) -> Game:
    """Return rows of two classes of which half were deleted.

    A model's margin for the label is smooth around a record, but for the ``trace`` that a record leaves at itself and
    half at its near copies. Training again with fresh draws moves the margin of the record and of its copies by one
    number of size ``fresh``.
    """
    rng = np.random.default_rng(seed)
    deleted, label = rng.permutation(n) % 2 == 0, rng.integers(2, size=n)
    reach = np.array([1.0, *(0.5 * np.exp(-2 * np.array(SCALES)))])
    level = 0.5 + rng.normal(size=(n, 1, 1)) + rng.normal(size=(n, COPIES, 1)) * np.array([0.0, *SCALES])
    known = level + trace * deleted[:, None, None] * reach
    moved = level + fresh * rng.normal(size=(n, 1, 1))
    before, after = (_answers(margin, label) for margin in (known, moved))
    rows = game_of(np.exp(before[:, 0, 0]), np.exp(after[:, 0, 0]), label, deleted)
    return Game(rows, CopyAnswers(before[:, :, 1:], after[:, :, 1:]))


def _answers(margin: Numbers, label: NDArray[np.int64]) -> Numbers:
    signed = np.where(label[:, None, None] == 1, margin, -margin)
    return log_softmax(np.stack([np.zeros_like(signed), signed], axis=-1))


def found(attack: SeveralQueries, seed: int, shadow: Game, target: Game) -> float:
    fitted = attack.fit(shadow.shadow(attack), np.random.default_rng(seed))
    return float(roc_auc_score(target.rows.deleted, fitted.score(target.view(attack))))


def mean_auc(attack: SeveralQueries, trace: float, fresh: float) -> float:
    pairs = [(draws(2 * seed, trace, fresh), draws(2 * seed + 1, trace, fresh)) for seed in range(8)]
    return float(np.mean([found(attack, seed, *pair) for seed, pair in enumerate(pairs)]))


def test_the_feature_of_one_row_follows_from_a_loop_over_its_copies() -> None:
    made, attack = draws(3, 1.0, 0.5, n=20), SeveralQueries()
    rows = made.rows
    for row, feature in enumerate(attack.feature(made.view(attack))):
        y, before, after = rows.label[row], np.exp(rows.before[row]), np.exp(rows.after[row, 0])
        expected = [*sorted_diff(before[None], after[None], "original")[0], before[y], after[y]]
        for answers in (made.answers.before[row], made.answers.after[row]):
            posteriors = [[float(np.exp(copy[scale][y])) for copy in answers] for scale in range(3)]
            expected += [sum(one) / COPIES for one in posteriors]
            expected += [float(np.sqrt(sum((p - sum(one) / COPIES) ** 2 for p in one) / COPIES)) for one in posteriors]
        assert feature == pytest.approx(expected)
        assert len(feature) == 2 + 14


def test_the_copies_of_the_two_largest_scales_are_not_read() -> None:
    made, attack = draws(4, 1.0, 0.5, n=20), SeveralQueries()
    kept = np.array(SCALES)[:, None] < 0.5
    far = CopyAnswers(*(np.where(kept, answers, -1.0) for answers in (made.answers.before, made.answers.after)))
    assert np.array_equal(attack.feature(made.view(attack)), attack.feature(replace(made, answers=far).view(attack)))


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
@pytest.mark.parametrize(("trace", "fresh"), [(0.0, 0.0), (0.0, 0.5)], ids=["unchanged", "trained again"])
def test_without_a_trace_it_is_at_chance(model: AttackModel, trace: float, fresh: float) -> None:
    assert mean_auc(SeveralQueries(model=model), trace, fresh) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
def test_with_permuted_roles_of_shadow_rows_it_is_at_chance(model: AttackModel) -> None:
    attack, rng, scores = SeveralQueries(model=model), np.random.default_rng(0), []
    for seed in range(8):
        shadow, target = draws(2 * seed, 1.0, 0.0), draws(2 * seed + 1, 1.0, 0.0)
        blind = replace(shadow, rows=replace(shadow.rows, deleted=rng.permutation(shadow.rows.deleted)))
        scores.append(found(attack, seed, blind, target))
    assert abs(np.mean(scores) - 0.5) < 4 * np.std(scores, ddof=1) / np.sqrt(8)


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression"])
def test_a_trace_is_found_under_shared_draws(model: AttackModel) -> None:
    assert mean_auc(SeveralQueries(model=model), 1.0, 0.0) > 0.9


def test_where_fresh_draws_move_a_region_as_one_copies_tell_the_record_from_it() -> None:
    """One query cannot tell the trace from the move; the copies show the move."""
    several, one = SeveralQueries(model="logistic-regression"), SortedDiff(model="logistic-regression")
    shadow, target = draws(10, 1.0, 1.5), draws(11, 1.0, 1.5)
    fitted = one.fit(shadow.rows.shadow(one.needs), np.random.default_rng(0))
    of_one = float(roc_auc_score(target.rows.deleted, fitted.score(target.rows.view(one.needs))))
    assert found(several, 0, shadow, target) > of_one + 0.05


def test_a_score_follows_from_its_row_alone() -> None:
    shadow, target, attack = draws(5, 1.0, 0.5), draws(6, 1.0, 0.5, n=60), SeveralQueries(model="logistic-regression")
    fitted, view = attack.fit(shadow.shadow(attack), np.random.default_rng(0)), target.view(attack)
    together = fitted.score(view)
    for row in range(0, 60, 7):
        alone = Game(target.rows.take([row]), target.answers.take(np.array([row])))
        assert fitted.score(alone.view(attack))[0] == together[row]


def test_it_reads_no_copies_that_were_not_declared() -> None:
    with pytest.raises(UndeclaredNeedError, match="copies"):
        SeveralQueries().feature(game(4, 2).view(Needs(label=True)))


def test_the_baseline_is_the_classical_attack_with_the_same_model() -> None:
    assert SeveralQueries(model="mlp").baseline == Baseline(params={"model": "mlp"})
