from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import stdtrit

from tests.stats.whole import numbers
from unlearnbench.stats import advantage, best_threshold, clustered_share, precision_at_prior

CLUSTER = np.repeat(np.arange(6), 20)
POSITIVE = np.tile(np.arange(20) < 8, 6)
ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(positive for _, positive in rows) < len(rows)
)


def _scores(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=120) + POSITIVE


def _advantage(scores: np.ndarray, positive: np.ndarray, threshold: float) -> float:
    return float((scores[positive] > threshold).mean() - (scores[~positive] > threshold).mean())


@given(ROWS)
def test_no_threshold_does_better_than_the_best_one_and_none_as_good_is_higher(rows: list[tuple[int, bool]]) -> None:
    scores, positive = (np.array(column) for column in zip(*rows, strict=True))
    best = best_threshold(scores, positive)
    every = np.append(np.unique(scores), scores.min() - 1)
    gains = np.array([_advantage(scores, positive, threshold) for threshold in every])
    assert _advantage(scores, positive, best) == pytest.approx(max(gains), abs=1e-12) or max(gains) < 0
    assert np.all(gains[every > best] < _advantage(scores, positive, best) - 1e-12)


def test_a_threshold_lies_halfway_between_distinct_scores() -> None:
    assert best_threshold([1, 1, 4, 4], [False, False, True, True]) == 2.5


@pytest.mark.parametrize("low", [1.0, np.nextafter(1.0, 2)])
def test_scores_that_are_neighbouring_floats_are_still_distinguished(low: float) -> None:
    high = np.nextafter(low, 2)
    threshold = best_threshold([low, high], [False, True])
    assert low <= threshold < high


def test_where_accusing_nobody_is_best_nobody_is_accused() -> None:
    assert best_threshold([1, 2, 3], [True, False, False]) == 3
    assert best_threshold([5, 5], [True, False]) == 5


def test_a_threshold_for_one_class_is_an_error() -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        best_threshold([1, 2], [True, True])


def test_the_interval_of_the_advantage_joins_those_of_its_two_rates() -> None:
    scores = _scores()
    estimate = advantage(scores, POSITIVE, 0.5, CLUSTER)
    tpr, fpr = (clustered_share(scores[rows] > 0.5, CLUSTER[rows]) for rows in (POSITIVE, ~POSITIVE))
    assert (estimate.details["tpr"], estimate.details["fpr"]) == (tpr.value, fpr.value)
    assert estimate.value == pytest.approx(_advantage(scores, POSITIVE, 0.5))
    each = [[(scores[rows & (k == CLUSTER)] > 0.5).mean() for k in range(6)] for rows in (POSITIVE, ~POSITIVE)]
    r = max(0, np.corrcoef(each)[0, 1])
    (low, value, high), (a, b, c), (d, e, f) = numbers(estimate), numbers(tpr), numbers(fpr)
    for found, x, y in ((value - low, b - a, f - e), (high - value, c - b, e - d)):
        assert found == pytest.approx(np.sqrt(x**2 + y**2 - 2 * r * x * y))
    assert estimate.details["degrees"] == min(tpr.details["degrees"], fpr.details["degrees"])


def test_where_every_positive_is_found_the_advantage_still_has_an_interval() -> None:
    scores = np.where(POSITIVE, 10, _scores())
    low, value, high = numbers(advantage(scores, POSITIVE, 1, CLUSTER))
    assert -1 < low < value < high < 1
    assert numbers(advantage(np.where(POSITIVE, 10, 0), POSITIVE, 1, CLUSTER))[1:] == (1, 1)


def test_a_score_at_the_threshold_does_not_exceed_it() -> None:
    assert advantage([1, 1, 2], [True, False, True], 1, [0, 1, 2]).value == 0.5


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.01])
def test_precision_is_bayes_rule_at_the_prior(prior: float) -> None:
    estimate = precision_at_prior(_scores(), POSITIVE, 0.5, prior, CLUSTER)
    tpr, fpr = (_scores()[POSITIVE] > 0.5).mean(), (_scores()[~POSITIVE] > 0.5).mean()
    assert estimate.value == pytest.approx(prior * tpr / (prior * tpr + (1 - prior) * fpr))
    low, value, high = numbers(estimate)
    assert 0 < low < value < high < 1


def test_the_prior_moves_the_interval_of_the_precision_and_leaves_its_width_in_log_odds() -> None:
    def log_odds(prior: float) -> tuple[float, float]:
        estimate = precision_at_prior(_scores(), POSITIVE, 0.5, prior, CLUSTER)
        low, _, high = (float(np.log(p / (1 - p)) - np.log(prior / (1 - prior))) for p in numbers(estimate))
        return low, high

    assert log_odds(0.5) == pytest.approx(log_odds(0.01))


def test_the_interval_of_the_precision_agrees_with_leaving_out_one_cluster_at_a_time() -> None:
    cluster = np.repeat(np.arange(30), 20)
    positive, scores = np.tile(np.arange(20) < 8, 30), np.random.default_rng(5).normal(size=600)
    scores = scores + positive + np.random.default_rng(6).normal(0, 0.4, 30)[cluster]

    def log_odds(keep: np.ndarray) -> float:
        tpr, fpr = (scores[keep & positive] > 1).mean(), (scores[keep & ~positive] > 1).mean()
        return float(np.log(tpr / fpr))

    left_out = np.array([log_odds(cluster != k) for k in range(30)])
    jackknife = np.sqrt(29 / 30 * ((left_out - left_out.mean()) ** 2).sum())
    estimate = precision_at_prior(scores, positive, 1, 0.5, cluster)
    low, high = (np.log(end / (1 - end)) for end in numbers(estimate)[::2])
    assert (high - low) / 2 / stdtrit(29, 0.975) == pytest.approx(jackknife, rel=0.1)


def test_nobody_accused_leaves_the_precision_undefined() -> None:
    estimate = precision_at_prior(_scores(), POSITIVE, 99, 0.5, CLUSTER)
    assert (estimate.status, estimate.reason) == ("undefined", "no score exceeds the threshold")


@pytest.mark.parametrize(("predicted", "value"), [(POSITIVE, 1), (~POSITIVE, 0)])
def test_predictions_of_one_class_only_have_a_one_sided_interval(predicted: NDArray[np.bool_], value: int) -> None:
    estimate = precision_at_prior(predicted, POSITIVE, 0.5, 0.1, CLUSTER)
    assert (estimate.value, estimate.status) == (value, "ok")
    assert value in (estimate.low, estimate.high)
    low, _, high = numbers(estimate)
    assert 0 < high - low < 1


def test_one_class_missing_is_undefined() -> None:
    nobody = np.zeros(120, bool)
    assert advantage(_scores(), nobody, 0, CLUSTER).status == "undefined"
    assert precision_at_prior(_scores(), nobody, 0, 0.5, CLUSTER).status == "undefined"


def test_fewer_than_five_clusters_have_no_interval() -> None:
    assert advantage(_scores(), POSITIVE, 0.5, CLUSTER % 4).status == "no-interval"
    assert precision_at_prior(_scores(), POSITIVE, 0.5, 0.5, CLUSTER % 4).status == "no-interval"


@pytest.mark.parametrize("prior", [0, 1])
def test_a_prior_that_leaves_nothing_to_find_is_an_error(prior: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        precision_at_prior(_scores(), POSITIVE, 0, prior, CLUSTER)


@pytest.mark.parametrize(("threshold", "word"), [(99, "no"), (-99, "every")])
def test_a_rule_that_accuses_nobody_or_everybody_has_no_advantage_and_no_interval(threshold: float, word: str) -> None:
    estimate = advantage(_scores(), POSITIVE, threshold, CLUSTER)
    assert (estimate.value, estimate.status, estimate.low) == (0, "degenerate", None)
    assert estimate.reason == f"{word} score exceeds the threshold"
