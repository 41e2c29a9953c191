from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.stats import holm, rank_sets, sign_flip

DIFFERENCES = st.lists(st.integers(-20, 20), min_size=1, max_size=9)


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)
    assert np.all(adjusted >= np.array(p))
    assert np.all(adjusted <= np.minimum(np.array(p) * len(p), 1))


@given(DIFFERENCES)
def test_sign_flip_counts_the_patterns_whose_sum_is_as_far_from_zero(differences: list[int]) -> None:
    sums = [abs(np.dot(signs, differences)) for signs in product((1, -1), repeat=len(differences))]
    expected = np.mean(np.array(sums) >= abs(sum(differences)))
    assert sign_flip(np.array(differences) / 10) == pytest.approx(expected)


def test_six_originals_that_agree_just_reach_five_percent() -> None:
    assert sign_flip([0.1, 0.2, 0.1, 0.3, 0.2, 0.1]) == 2 / 2**6


@given(DIFFERENCES)
def test_turning_the_differences_round_changes_nothing(differences: list[int]) -> None:
    assert sign_flip(differences) == sign_flip([-d for d in differences])


def test_without_any_difference_p_is_one() -> None:
    assert sign_flip([0.0] * 8) == sign_flip([]) == 1


def test_above_twenty_originals_patterns_are_drawn_and_p_is_close_to_the_normal_one() -> None:
    from scipy.stats import norm

    d = np.random.default_rng(0).normal(0.25, 1, 60)
    p = sign_flip(d, np.random.default_rng(1))
    assert p == sign_flip(d, np.random.default_rng(1))
    assert p == pytest.approx(2 * norm.sf(d.sum() / np.sqrt(d @ d)), abs=0.02)
    assert sign_flip(np.ones(60), np.random.default_rng(1)) == pytest.approx(1e-4)


def test_drawing_needs_a_generator() -> None:
    with pytest.raises(ValueError, match="pass a random generator"):
        sign_flip(np.ones(21))
    with pytest.raises(ValueError, match="pass a random generator"):
        rank_sets(np.ones((2, 15)))


def _entries(means: list[float], originals: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=originals)  # hard and easy original models: pairing takes them out
    return np.array(means)[:, None] + shared + rng.normal(0, 0.1, (len(means), originals))


def test_entries_far_apart_have_one_rank_each() -> None:
    assert rank_sets(_entries([0, 5, 2], 10)) == [(3, 3), (1, 1), (2, 2)]


def test_entries_too_close_to_call_share_their_ranks() -> None:
    assert rank_sets(_entries([0, 5, 5.01], 10)) == [(3, 3), (1, 2), (1, 2)]


def test_equal_entries_share_all_ranks() -> None:
    assert rank_sets(np.zeros((3, 8))) == [(1, 3)] * 3


def test_five_originals_cannot_tell_entries_apart() -> None:
    assert rank_sets(_entries([0, 9], 5)) == [(1, 2), (1, 2)]
    assert rank_sets(_entries([0, 9], 6)) == [(2, 2), (1, 1)]


def test_one_entry_is_first() -> None:
    assert rank_sets(np.arange(8.0)[None, :]) == [(1, 1)]


def test_many_originals_agree_with_few_on_what_is_plain() -> None:
    rng = np.random.default_rng(0)
    assert rank_sets(_entries([0, 5, 2], 30), rng=rng) == [(3, 3), (1, 1), (2, 2)]


def test_two_entries_are_told_apart_exactly_where_sign_flip_tells_them_apart() -> None:
    for seed in range(40):
        metric = _entries([0, 0.1], 8, seed)
        apart = rank_sets(metric)[0] != (1, 2)
        assert apart == (sign_flip(metric[0] - metric[1]) <= 0.05)


@pytest.mark.parametrize("metric", [[1.0, 2.0], [[1.0, float("nan")]]])
def test_a_metric_without_originals_or_with_nan_is_an_error(metric: list) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        rank_sets(metric)
