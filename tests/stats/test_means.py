from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import binomtest, t

from tests.stats.whole import numbers
from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.stats import clopper_pearson, clustered_mean, clustered_share, korn_graubard, t_interval


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


@pytest.mark.parametrize("interval", [t_interval, lambda values, scale: clustered_mean(values, range(5), scale)])
def test_an_interval_keeps_to_the_values_that_the_mean_can_have(interval: Callable[..., Estimate]) -> None:
    def end(which: int, values: list[float], scale: Scale) -> float:
        return numbers(interval(values, scale))[which]

    shares, gains, times = [1, 1, 1, 1, 0.8], [-1, -1, -1, -1, 0.8], [0.1, 0.1, 0.2, 0.1, 9]
    assert end(2, shares, "real") > 1 > end(2, shares, "share")
    assert end(0, gains, "real") < -1 < end(0, gains, "gain")
    assert end(0, times, "real") < 0 < end(0, times, "positive")


@pytest.mark.parametrize("values", [[0.570, 0.999], [0.0, 1.0], [0.0, 0.01]])
def test_two_seeds_of_a_share_have_an_interval_within_0_and_1(values: list[float]) -> None:
    low, value, high = numbers(t_interval(values, "share"))
    assert 0 <= low < value < high <= 1


def test_the_interval_of_a_time_is_symmetric_in_factors() -> None:
    low, value, high = numbers(t_interval([0.2, 1.3], "positive"))
    assert value / low == pytest.approx(high / value)
    assert np.log(high / value) == pytest.approx(t.ppf(0.975, 1) * 0.55 / 0.75)


def test_the_degrees_of_freedom_are_those_of_the_clusters_that_unlike_ones_are_worth() -> None:
    cluster = np.repeat(np.arange(8), [20, 20, 20, 20, 1, 1, 1, 1])
    values = np.random.default_rng(0).normal(size=len(cluster))
    sizes = np.array([20] * 4 + [1] * 4)
    v = sizes * (1 + 0.05 * (sizes - 1))
    estimate = clustered_mean(values, cluster)
    assert estimate.details["degrees"] == pytest.approx(v.sum() ** 2 / (v**2).sum() - 1)
    sums = np.bincount(cluster, values - values.mean()) / len(values)
    assert estimate.details["se"] == pytest.approx(np.sqrt((sums**2 / (1 - sizes / sizes.sum())).sum()))


def test_where_nearly_all_rows_are_of_two_clusters_there_is_no_interval() -> None:
    cluster = np.repeat(np.arange(10), [40, 40, *[1] * 8])
    estimate = clustered_mean(np.random.default_rng(0).normal(size=88), cluster)
    assert (estimate.status, estimate.low) == ("no-interval", None)
    assert estimate.reason == "most rows are of few clusters, worth 2.1 of equal size; an interval needs 3"


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


def test_a_share_has_the_t_interval_of_a_mean_of_zeros_and_ones() -> None:
    hits, cluster = np.random.default_rng(7).random(60) < 0.3, np.arange(60) // 10
    assert clustered_share(hits, cluster) == clustered_mean(hits.astype(float), cluster, "share")


@pytest.mark.parametrize("hits", [np.ones(60), np.zeros(60), np.tile([1, 0, 0], 20)], ids=["all", "none", "alike"])
def test_where_clusters_do_not_vary_a_share_has_the_interval_of_korn_and_graubard(hits: np.ndarray) -> None:
    cluster = np.arange(60) // 6
    assert clustered_share(hits, cluster) == korn_graubard(hits, cluster)
    low, value, high = numbers(clustered_share(hits, cluster))
    assert low < value or value == 0
    assert value < high or value == 1


def test_records_that_clusters_share_widen_the_interval_of_a_share() -> None:
    record = np.tile(np.arange(10), 6)
    hits = np.random.default_rng(8).random(10)[record] < np.linspace(0.3, 0.7, 6).repeat(10)
    (low, _, high), (lower, _, higher) = (
        numbers(clustered_share(hits, np.repeat(np.arange(6), 10), one)) for one in (None, record)
    )
    assert lower < low < high < higher


def test_a_share_of_no_rows_is_undefined_and_one_of_few_clusters_has_no_interval() -> None:
    assert clustered_share([], []).status == "undefined"
    assert clustered_share([1, 0, 1, 0], [0, 1, 2, 3]).status == "no-interval"
    with pytest.raises(ValueError, match="booleans"):
        clustered_share([0.5, 1], [0, 1])
