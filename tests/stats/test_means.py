from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, t

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats import clopper_pearson, clustered_mean, korn_graubard, t_interval


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    """Return the lower end, the value and the upper end of an estimate that has all three."""
    low, value, high = estimate.low, estimate.value, estimate.high
    assert low is not None
    assert value is not None
    assert high is not None
    return low, value, high


def test_the_interval_over_seeds_is_students() -> None:
    values = [0.86, 0.84, 0.89, 0.85, 0.87]
    estimate = t_interval(values)
    expected = t.interval(0.95, 4, np.mean(values), np.std(values, ddof=1) / np.sqrt(5))
    assert (estimate.low, estimate.high) == pytest.approx(expected)
    assert estimate.value == pytest.approx(0.862)
    assert estimate.n == 5


def test_no_seed_one_seed_and_equal_seeds_have_no_interval() -> None:
    assert t_interval([]).status == "undefined"
    assert (t_interval([0.7]).value, t_interval([0.7]).status) == (0.7, "no-interval")
    assert t_interval([0.1, 0.1, 0.1]).status == "degenerate"


def test_a_nan_is_an_error_and_not_passed_on() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        t_interval([0.1, float("nan")])


def test_with_clusters_of_one_size_it_is_the_t_interval_of_their_means() -> None:
    values = np.random.default_rng(0).normal(size=(7, 5)) + np.arange(7)[:, None]
    estimate, means = clustered_mean(values.ravel(), np.repeat(np.arange(7), 5)), t_interval(values.mean(axis=1))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((means.value, means.low, means.high))
    assert (estimate.n, estimate.details["clusters"]) == (35, 7)


def test_with_clusters_of_unlike_size_it_stays_the_mean_over_rows() -> None:
    values, cluster = [1, 1, 1, 0, 2, 0, 1], [0, 0, 0, 1, 2, 3, 4]
    estimate = clustered_mean(values, cluster)
    assert estimate.value == pytest.approx(6 / 7)
    low, _, high = numbers(estimate)
    assert (low + high) / 2 == pytest.approx(6 / 7)


def test_the_interval_is_cut_to_what_the_mean_can_be() -> None:
    estimate = clustered_mean([1, 1, 1, 1, 0.8], range(5), bounds=(0, 1))
    assert estimate.high == 1
    _, _, high = numbers(clustered_mean([1, 1, 1, 1, 0.8], range(5)))
    assert high > 1


def test_no_rows_few_clusters_and_equal_rows_have_no_interval() -> None:
    assert clustered_mean([], []).status == "undefined"
    assert clustered_mean([1, 2, 3, 4], range(4)).status == "no-interval"
    assert clustered_mean([0.1] * 7, range(7)).status == "degenerate"
    assert clustered_mean([0, 1] * 6, np.repeat(np.arange(6), 2)).status == "degenerate"


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (1, 400)])
def test_clopper_pearson_is_scipys_exact_interval(k: int, n: int) -> None:
    expected = binomtest(k, n).proportion_ci(method="exact")
    assert clopper_pearson(k, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_korn_and_graubard_is_clopper_and_pearson_on_the_rows_that_clustered_ones_are_worth() -> None:
    hits = np.array([[1, 0, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])
    estimate = korn_graubard(hits.ravel(), np.repeat(np.arange(6), 4))
    share, n, k = hits.mean(), 24, 6
    variance = hits.mean(axis=1).var(ddof=1) / k
    deff = variance / (share * (1 - share) / n)
    worth = n / deff * (t.ppf(0.975, n - 1) / t.ppf(0.975, k - 1)) ** 2
    assert estimate.details["design_effect"] == pytest.approx(deff)
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(share * worth, worth))


def test_rows_never_count_for_more_than_their_number() -> None:
    hits = np.tile([1, 0, 0, 0], 6)  # every cluster has the same share: no spread at all
    estimate = korn_graubard(hits, np.repeat(np.arange(6), 4))
    assert (estimate.low, estimate.high) == pytest.approx(clopper_pearson(6, 24))


@pytest.mark.parametrize("hit", [0, 1])
def test_none_and_all_have_a_one_sided_interval(hit: int) -> None:
    estimate = korn_graubard(np.full(40, hit), np.arange(40) // 8)
    assert (estimate.value, estimate.status) == (hit, "ok")
    low, _, high = numbers(estimate)
    assert high - low > 1 - 0.025 ** (1 / 40)
    assert hit in (estimate.low, estimate.high)


def test_fewer_than_five_clusters_have_no_interval() -> None:
    assert korn_graubard([1, 0, 1, 0], [0, 1, 2, 3]).status == "no-interval"


def test_no_rows_are_undefined() -> None:
    assert korn_graubard([], []).status == "undefined"


def test_anything_but_yes_or_no_is_an_error() -> None:
    with pytest.raises(ValueError, match="booleans"):
        korn_graubard([0.5, 1], [0, 1])
