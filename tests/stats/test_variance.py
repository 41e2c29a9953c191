from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.stats.clusters import clusters_of
from unlearnbench.stats.variance import SPLITS, Variance, clustered_variance, deletion_variance, halves_variance


@given(st.floats(0.01, 5), st.floats(0.01, 5), st.integers(2, 30), st.integers(2, 30))
def test_the_degrees_of_a_sum_lie_between_the_smaller_and_the_sum_of_both(a: float, b: float, m: int, n: int) -> None:
    total = Variance(a, m) + Variance(b, n)
    assert total.value == pytest.approx(a + b)
    assert total.degrees == pytest.approx((a + b) ** 2 / (a**2 / m + b**2 / n))
    assert min(m, n) - 1e-9 <= total.degrees <= m + n + 1e-9


def test_a_variance_of_zero_adds_nothing() -> None:
    assert Variance(2, 4) + Variance(0, 1) == Variance(0, 1) + Variance(2, 4) == Variance(2, 4)


def test_of_equal_clusters_the_two_variances_of_a_mean_are_that_of_the_mean_of_means() -> None:
    values, cluster = np.random.default_rng(0).normal(size=60), np.arange(60) // 6
    clusters, means = clusters_of(cluster, 60), values.reshape(10, 6).mean(axis=1)
    first_order = clustered_variance((values - values.mean()) / 60, clusters)
    without = np.array([values[cluster != k].mean() for k in range(10)])
    jackknife = deletion_variance(values.mean(), without, clusters)
    assert first_order.value == pytest.approx(means.var(ddof=1) / 10)
    assert jackknife.value == pytest.approx(means.var(ddof=1) / 10)
    assert first_order.degrees == pytest.approx(9)
    assert jackknife.degrees <= 9 + 1e-9


def test_one_cluster_that_causes_nearly_all_of_the_variance_leaves_few_degrees_of_freedom() -> None:
    clusters = clusters_of(np.arange(60) // 6, 60)
    without = np.array([0.9] + [0.0] * 9) + np.linspace(-0.01, 0.01, 10)
    assert deletion_variance(0.0, without, clusters).degrees < 1.5
    assert deletion_variance(0.0, np.zeros(10), clusters).value == 0


def _on_rows(
    measure: Callable[[NDArray[np.float64]], float], values: NDArray[np.float64], rows: NDArray[np.bool_]
) -> float:
    return float(measure(values[rows]))


@pytest.mark.parametrize("count", [5, 10, 40])
@pytest.mark.parametrize("measure", [np.mean, np.median])
def test_halves_show_the_variance_of_a_mean_and_of_a_median(
    measure: Callable[[NDArray[np.float64]], float], count: int
) -> None:
    """The median jumps when a cluster is left out: the jackknife's variance of it is inconsistent."""
    rng, clusters = np.random.default_rng(1), clusters_of(np.arange(count * 6) // 6, count * 6)
    drawn = rng.normal(size=(1_000, count)).repeat(6, axis=1) + rng.normal(size=(1_000, count * 6))
    found = [halves_variance(partial(_on_rows, measure, values), clusters) for values in drawn[:200]]
    true = np.var([measure(values) for values in drawn], ddof=1)
    assert np.mean([one.value for one in found]) == pytest.approx(true, rel=0.2)
    assert found[0].degrees == pytest.approx(count - 1)


@pytest.mark.parametrize("count", [5, 6, 41])
def test_the_splits_are_of_whole_clusters_into_halves_and_the_same_each_time(count: int) -> None:
    seen: list[bytes] = []
    clusters = clusters_of(np.repeat(np.arange(count), 3), 3 * count)

    def look(rows: np.ndarray) -> float:
        whole = rows.reshape(count, 3)
        assert (whole.all(axis=1) == whole.any(axis=1)).all()
        assert whole[:, 0].sum() in (count // 2, count - count // 2)
        seen.append(rows.tobytes())
        return 0.0

    assert halves_variance(look, clusters).value == 0
    assert halves_variance(look, clusters).value == 0
    assert len(seen) == 4 * SPLITS
    assert seen[: 2 * SPLITS] == seen[2 * SPLITS :]


def test_splits_pair_every_two_clusters_about_as_often_as_they_part_them() -> None:
    sides: list[np.ndarray] = []

    def look(rows: np.ndarray) -> float:
        sides.append(rows)
        return 0.0

    halves_variance(look, clusters_of(np.arange(10), 10))
    signs = np.where(np.array(sides[::2]), 1, -1)
    together = (signs.T @ signs)[np.triu_indices(10, 1)] / SPLITS
    assert np.abs(together + 1 / 9).max() < 4 / np.sqrt(SPLITS)
