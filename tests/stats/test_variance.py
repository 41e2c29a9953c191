from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.stats.clusters import clusters_of
from unlearnbench.stats.variance import Variance, clustered_variance, deletion_variance


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
