from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from unlearnbench.stats import clustered_mean, t_interval


def test_the_interval_over_seeds_is_students() -> None:
    values = [0.86, 0.84, 0.89, 0.85, 0.87]
    estimate = t_interval(values)
    expected = t.interval(0.95, 4, np.mean(values), np.std(values, ddof=1) / np.sqrt(5))
    assert (estimate.low, estimate.high) == pytest.approx(expected)
    assert (estimate.value, estimate.n) == (pytest.approx(0.862), 5)


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
    assert (estimate.low + estimate.high) / 2 == pytest.approx(6 / 7)


def test_the_interval_is_cut_to_what_the_mean_can_be() -> None:
    estimate = clustered_mean([1, 1, 1, 1, 0.8], range(5), bounds=(0, 1))
    assert estimate.high == 1
    assert clustered_mean([1, 1, 1, 1, 0.8], range(5)).high > 1


def test_no_rows_few_clusters_and_equal_rows_have_no_interval() -> None:
    assert clustered_mean([], []).status == "undefined"
    assert clustered_mean([1, 2, 3, 4], range(4)).status == "no-interval"
    assert clustered_mean([0.1] * 7, range(7)).status == "degenerate"
    assert clustered_mean([0, 1] * 6, np.repeat(np.arange(6), 2)).status == "degenerate"
