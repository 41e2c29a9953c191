from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stats.whole import numbers
from unlearnbench.stats import korn_graubard, tpr_at_fpr

CLUSTERS = np.arange(300) % 10


def _rows(seed: int = 0, digits: int = 9) -> tuple[np.ndarray, np.ndarray]:
    positive = np.arange(300) < 100
    return np.round(np.random.default_rng(seed).normal(size=300) + positive, digits), positive


@given(st.integers(0, 500), st.integers(1, 9), st.sampled_from([0.05, 0.1, 0.29, 0.5]))
def test_the_tpr_is_the_largest_over_all_thresholds_with_few_enough_false_alarms(
    seed: int, digits: int, fpr: float
) -> None:
    scores, positive = _rows(seed, digits)
    over = scores[None, :] > np.append(np.unique(scores), -np.inf)[:, None]
    allowed = over[:, ~positive].sum(axis=1) <= round(fpr * 200)
    best = over[allowed][:, positive].mean(axis=1).max()
    estimate = tpr_at_fpr(scores, positive, fpr, CLUSTERS)
    assert estimate.value == pytest.approx(best)
    assert estimate.details["realized_fpr"] <= fpr + 1e-12
    assert estimate.details["distinct_scores"] == len(np.unique(scores))


def test_the_interval_joins_those_of_korn_and_graubard_over_positives_and_over_negatives() -> None:
    scores, positive = _rows()
    descending = np.sort(scores[~positive])[::-1]
    tpr = korn_graubard(scores[positive] > descending[20], CLUSTERS[positive])
    fpr = korn_graubard(scores[~positive] > descending[20], CLUSTERS[~positive])
    ends = numbers(fpr)[::-2]
    fewer, more = (float((scores[positive] > descending[int(200 * 0.1**2 / end)]).mean()) for end in ends)
    estimate = tpr_at_fpr(scores, positive, 0.1, CLUSTERS)
    assert (estimate.value, estimate.n, estimate.details["realized_fpr"]) == (tpr.value, 300, 0.1)
    (low, value, high), (tpr_low, _, tpr_high) = numbers(estimate), numbers(tpr)
    assert value - low == pytest.approx(np.hypot(value - tpr_low, value - fewer))
    assert high - value == pytest.approx(np.hypot(tpr_high - value, more - value))
    assert fewer < value < more


def test_a_product_that_falls_short_of_its_whole_number_loses_no_false_alarm() -> None:
    positive = np.arange(110) < 10
    assert 0.29 * 100 < 29
    estimate = tpr_at_fpr(np.arange(110.0)[::-1], positive, 0.29, np.arange(110) % 10)
    assert estimate.details["realized_fpr"] == 0.29


def test_too_few_negatives_are_reported_with_the_number_needed() -> None:
    estimate = tpr_at_fpr(*_rows(), 0.01, CLUSTERS)
    assert estimate.value is None
    assert estimate.reason == "n/a: needs N- >= 10/fpr = 1000 distinct non-members, has 200"


def test_a_negative_that_is_queried_twice_counts_once() -> None:
    scores, positive = _rows()
    twice = np.where(positive, -1, np.arange(300) // 2)
    assert tpr_at_fpr(scores, positive, 0.1, CLUSTERS, twice).details["nonmembers"] == 100
    assert tpr_at_fpr(scores, positive, 0.09, CLUSTERS, twice).status == "undefined"
    assert tpr_at_fpr(scores, positive, 0.09, CLUSTERS).status == "ok"


def test_ties_that_cannot_be_split_leave_the_tpr_undefined() -> None:
    _, positive = _rows()
    scores = np.where(np.arange(300) % 3 == 0, 1.0, 0.0)
    estimate = tpr_at_fpr(scores, positive, 0.1, CLUSTERS)
    assert (estimate.status, estimate.reason) == ("undefined", "n/a (ties)")
    assert (estimate.details["realized_fpr"], estimate.details["distinct_scores"]) == (0, 2)


def test_half_the_nominal_rate_is_enough() -> None:
    scores, positive = _rows()
    low, high = np.sort(scores[~positive])[-20:-10], np.sort(scores[~positive])[-10:]
    tied = np.where(np.isin(scores, low) & ~positive, low[0], scores)
    tied = np.where(np.isin(scores, np.sort(scores[~positive])[-30:-20]) & ~positive, low[0], tied)
    estimate = tpr_at_fpr(tied, positive, 0.1, CLUSTERS)
    assert estimate.details["realized_fpr"] == len(high) / 200 == 0.05
    assert estimate.status == "ok"


def test_who_finds_every_positive_needs_no_false_alarms() -> None:
    _, positive = _rows()
    estimate = tpr_at_fpr(positive.astype(float), positive, 0.1, CLUSTERS)
    assert (estimate.value, estimate.high, estimate.details["realized_fpr"]) == (1, 1, 0)


def test_no_positives_are_undefined() -> None:
    assert tpr_at_fpr(np.arange(300.0), np.zeros(300, bool), 0.1, CLUSTERS).reason == "n/a: no positives"


def test_fewer_than_five_clusters_have_a_value_but_no_interval() -> None:
    assert tpr_at_fpr(*_rows(), 0.1, CLUSTERS % 4).status == "no-interval"


@pytest.mark.parametrize("fpr", [0, 1, 1.5])
def test_a_rate_outside_zero_and_one_is_an_error(fpr: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        tpr_at_fpr(*_rows(), fpr, CLUSTERS)
