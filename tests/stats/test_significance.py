from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.stats import chi2_contingency, ttest_1samp

from unlearnbench.stats import counts_differ, mean_above_zero


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=9).filter(lambda values: len(set(values)) > 1))
def test_the_t_test_of_a_mean_is_that_of_scipy(values: list[int]) -> None:
    expected = ttest_1samp(np.array(values) / 10, 0, alternative="greater").pvalue
    assert mean_above_zero(np.array(values) / 10) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(("values", "p"), [([0.5] * 3, 0), ([-0.5] * 3, 1), ([0.0] * 3, 0.5), ([0.3], 0.5), ([], 0.5)])
def test_equal_values_leave_no_doubt_and_one_value_tells_nothing(values: list[float], p: float) -> None:
    assert mean_above_zero(values) == p


def test_a_mean_of_values_that_are_not_finite_is_an_error() -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        mean_above_zero([1.0, float("nan")])


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_permutation_test_of_counts_is_that_of_all_divisions_one_by_one() -> None:
    first, second = np.array([4, 1, 0]), np.array([1, 2, 3])
    members = np.repeat([0, 1, 2], first + second)
    expected = (first + second) * 5 / 11

    def chi_square(counts: np.ndarray) -> float:
        return float(((counts - expected) ** 2 / expected).sum())

    divisions = [np.bincount(members[list(chosen)], minlength=3) for chosen in combinations(range(11), 5)]
    exact = np.mean([chi_square(counts) >= chi_square(first) - 1e-9 for counts in divisions])
    assert counts_differ(first, second, rng()) == pytest.approx(exact, abs=0.015)


def test_the_permutation_test_of_many_counts_is_close_to_the_chi_square_test_of_scipy() -> None:
    first, second = [120, 90, 90], [300, 320, 280]
    expected = chi2_contingency([first, second], correction=False).pvalue
    assert counts_differ(first, second, rng()) == pytest.approx(expected, abs=0.015)


def test_equal_shares_do_not_differ_and_a_clear_difference_has_the_smallest_p_there_is() -> None:
    assert counts_differ([10, 20], [30, 60], rng()) == 1
    assert counts_differ([50, 0], [0, 50], rng()) == pytest.approx(1e-4)


@pytest.mark.parametrize(("first", "second"), [([0, 0], [1, 2]), ([3, 1], [0, 0]), ([], [])])
def test_an_empty_sample_differs_from_nothing(first: list[int], second: list[int]) -> None:
    assert counts_differ(first, second, rng()) == 1


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1, 2, 3]), ([1, -1], [1, 2]), ([[1, 2]], [[1, 2]])])
def test_what_are_not_two_vectors_of_counts_is_an_error(first: ArrayLike, second: ArrayLike) -> None:
    with pytest.raises(ValueError, match="two vectors of counts"):
        counts_differ(first, second, rng())
