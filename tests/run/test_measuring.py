from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.run.games import make_game
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell, single_precision
from unlearnbench.core.observations import View
from unlearnbench.core.scenarios import Role
from unlearnbench.run.attacking import attack_scores, oracle_scores
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.game import Game
from unlearnbench.run.measuring import measure, scored_cell
from unlearnbench.stats import best_threshold, clustered_mean
from unlearnbench.testing.samples import scored_cell as sample_cell

UTILITY = sample_cell().utility


class First(ScoreAttack):
    """Scores the first log-posterior."""

    def score(self, view: View) -> NDArray[np.float64]:
        return view.before[:, 0]


class Oracle(First):
    probabilistic = True


class Fixed(Metric):
    """Gives estimates that are fixed, whatever it measures."""

    def __init__(self, **given: object) -> None:
        self.given = given

    def measure(self, cell: ScoredCell) -> dict[str, Estimate]:
        return self.given  # type: ignore[return-value]  # that is what is tried


@pytest.fixture(scope="module")
def game() -> Game:
    return make_game()


@pytest.fixture(scope="module")
def scores(game: Game) -> CellScores:
    return CellScores.of(game, oracle_scores(game), attack_scores(game, First(), "first"))


@pytest.fixture(scope="module")
def cell(game: Game, scores: CellScores) -> ScoredCell:
    return scored_cell(game, scores, Oracle(), First(), UTILITY)


def test_a_cell_has_scores_baseline_and_shadow_rows_that_belong_together(cell: ScoredCell) -> None:
    np.testing.assert_array_equal(cell.scores == 1, cell.role == Role.FORGOTTEN)
    np.testing.assert_array_equal(cell.shadow_scores == 1, cell.shadow_deleted)
    assert len(cell.baseline) == len(cell.scores)
    assert not np.array_equal(cell.baseline, cell.scores)
    assert (cell.probabilistic, cell.baseline_probabilistic) == (True, False)


def test_where_no_shadow_row_is_scored_none_is_deleted(game: Game, scores: CellScores) -> None:
    cell = scored_cell(game, replace(scores, shadow=np.empty(0)), Oracle(), First(), UTILITY)
    assert len(cell.shadow_deleted) == len(cell.shadow_scores) == 0


def test_unchanged_rows_have_bitwise_the_posteriors_of_the_original_in_the_last_version(game: Game) -> None:
    target = game.target
    moved = target.before + np.spacing(target.before)
    single = np.arange(len(target)) % 3 == 0
    rows = replace(
        target,
        after=np.stack([target.before, np.where(single[:, None], target.before, moved)], axis=1),
        versions=np.where(np.arange(len(target)) % 2 == 0, 1, 2),
    )
    oracle = oracle_scores(game)
    unchanged = CellScores.of(replace(game, target=rows), oracle, oracle).unchanged
    np.testing.assert_array_equal(unchanged, single | (rows.versions == 1))


def test_the_utility_of_a_cell_is_that_of_what_is_released(game: Game, cell: ScoredCell) -> None:
    rows = game.target
    unseen = rows.role == Role.UNSEEN
    correct = rows.after[:, 0].argmax(axis=1) == rows.label
    assert cell.released.accuracy.mean() == pytest.approx(correct[unseen].mean())
    np.testing.assert_array_equal(np.bincount(cell.released.episode), 4)  # requests of each original


def test_no_metric_is_given_posteriors(cell: ScoredCell) -> None:
    assert {"before", "after", "observations"}.isdisjoint(vars(cell))


def test_chosen_rows_of_a_cell_keep_what_belongs_to_them(cell: ScoredCell) -> None:
    order = np.random.default_rng(0).permutation(len(cell.scores))[:50]
    taken = cell.take(order)
    for name, array in vars(cell).items():
        if isinstance(array, np.ndarray) and len(array) == len(cell.scores):
            np.testing.assert_array_equal(getattr(taken, name), array[order])
    assert taken.shadow_scores is cell.shadow_scores


def test_all_metrics_are_measured(cell: ScoredCell) -> None:
    one, other = Estimate.undefined("no reason"), Estimate.undefined("another")
    assert measure(cell, {"a": Fixed(x=one), "b": Fixed(y=other)}) == {"x": one, "y": other}


def test_two_metrics_must_not_give_one_name(cell: ScoredCell) -> None:
    one = Estimate.undefined("no reason")
    with pytest.raises(ValueError, match="metric b gives x, which another metric gives too"):
        measure(cell, {"a": Fixed(x=one), "b": Fixed(x=one)})


def test_a_metric_must_give_estimates(cell: ScoredCell) -> None:
    with pytest.raises(TypeError, match="metric a gives x, which must be an Estimate"):
        measure(cell, {"a": Fixed(x=0.7)})


def test_without_each_fold_scores_and_shadow_rows_are_those_of_the_other_folds(cell: ScoredCell) -> None:
    rng, n, m = np.random.default_rng(0), len(cell.scores), len(cell.shadow_scores)
    folds, fold = rng.random((3, n), dtype=np.float32), np.arange(m) % 3
    cell = replace(cell, folds=folds, baseline_folds=np.empty((0, n), dtype=np.float32), shadow_fold=fold)
    for k, part in enumerate(cell.without_each_fold()):
        np.testing.assert_array_equal(part.scores, folds[k])
        np.testing.assert_array_equal(part.baseline, cell.baseline.astype(np.float32))
        np.testing.assert_array_equal(part.shadow_scores, cell.shadow_scores[fold != k].astype(np.float32))
        np.testing.assert_array_equal(part.shadow_deleted, cell.shadow_deleted[fold != k])
        assert not part.against(cell.negative).cluster.any()
    one_original = replace(cell, shadow_scores=np.empty(0), shadow_deleted=np.empty(0, bool))
    assert one_original.without_each_fold() == []


def test_halves_hold_every_original_once(cell: ScoredCell) -> None:
    first, second = cell.halves()
    assert set(first.episode).isdisjoint(second.episode)
    assert {*first.episode, *second.episode} == set(cell.episode)
    assert len(first.scores) + len(second.scores) == np.count_nonzero(cell.position < 10)


@dataclass(frozen=True)
class MeanScore(Metric):
    """The mean score of the rows of few or many originals; on halves only where it is told so."""

    on_halves: bool = True

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        if not self.on_halves and len(np.unique(cell.episode)) < 5:
            return {"mean": Estimate.undefined("few originals")}
        rows = cell.against(cell.negative)
        return {"mean": clustered_mean(rows.scores, rows.cluster), "originals": Estimate(1.0)}


def _with_folds(spread: float) -> ScoredCell:
    cell = sample_cell(originals=8)
    shift = spread * np.arange(4)[:, None]
    return replace(
        cell,
        folds=single_precision(cell.scores + shift),
        baseline_folds=single_precision(np.tile(cell.baseline, (4, 1))),
    )


def test_a_constant_score_exceeds_no_threshold_without_a_fold_either(cell: ScoredCell) -> None:
    constant, n = np.full(len(cell.shadow_scores), 0.1), len(cell.scores)
    cell = replace(cell, shadow_scores=constant, folds=single_precision(np.full((5, n), 0.1)))
    for part in cell.without_each_fold():
        assert not (part.scores > best_threshold(part.shadow_scores, part.shadow_deleted)).any()


def test_scores_beyond_single_precision_stay_finite() -> None:
    largest = np.finfo(np.float32).max
    np.testing.assert_array_equal(single_precision(np.array([-1e300, 0.5, 1e300])), [-largest, 0.5, largest])


@pytest.mark.parametrize("on_halves", [True, False])
def test_every_interval_includes_the_variance_of_the_adversary(on_halves: bool) -> None:
    alone, varying = (measure(_with_folds(s), {"m": MeanScore(on_halves)}) for s in (0, 0.1))
    own = np.var([0, 0.1, 0.2, 0.3], ddof=1) * 3 / 2
    assert "adversary_se" not in alone["mean"].details
    assert varying["mean"].details["adversary_se"] == pytest.approx(np.sqrt(own))
    assert varying["mean"].details["se"] == pytest.approx(np.hypot(alone["mean"].details["se"], np.sqrt(own)))
    assert varying["originals"] == Estimate(1.0)


@pytest.mark.parametrize("wrong", [-0.01, 1.01])
def test_scores_that_are_declared_to_be_probabilities_must_be_some(
    game: Game, scores: CellScores, wrong: float
) -> None:
    given = replace(scores, scores=np.where(np.arange(len(scores.scores)) == 3, wrong, scores.scores))
    with pytest.raises(ValueError, match=f"probabilistic attack must give scores from 0 to 1, got .*{wrong}"):
        scored_cell(game, given, Oracle(), First(), UTILITY)
    assert scored_cell(game, given, First(), First(), UTILITY).scores is given.scores
