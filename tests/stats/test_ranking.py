"""Holm's adjustment, and ranks of AUCs: their values, and how often they are wrong."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats import holm
from unlearnbench.stats.ranking import Best, Measured, RankRange, ranges_of, surely_better

Numbers = np.ndarray


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_steps_down() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferroni(p: list[float]) -> None:
    adjusted = holm(p)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)
    assert np.all(adjusted >= np.array(p))
    assert np.all(adjusted <= np.minimum(np.array(p) * len(p), 1))


def rank_ranges(entries: list[Measured], best: Best) -> list[RankRange]:
    return ranges_of(surely_better(entries, best))


def one_seed(value: float, se: float = 0.01, degrees: int = 10) -> Measured:
    return Measured(Estimate(value, value - 0.02, value + 0.02, details={"se": se, "degrees": degrees}))


def over_seeds(*values: float) -> Measured:
    return Measured(Estimate(float(np.mean(values))), values)


CONSTANT = Measured(Estimate(0.5, status="degenerate", reason="constant score"))
PERFECT = Measured(Estimate(1.0, status="degenerate", reason="every positive scores above every negative"))


def test_clear_differences_give_single_ranks_and_a_high_auc_is_first() -> None:
    assert rank_ranges([one_seed(0.6), one_seed(0.9), one_seed(0.75)], "high") == [(3, 3), (1, 1), (2, 2)]


def test_entries_without_a_significant_difference_share_their_ranks() -> None:
    assert rank_ranges([one_seed(0.70), one_seed(0.71), one_seed(0.9)], "high") == [(2, 3), (2, 3), (1, 1)]


def test_near_half_is_best_from_either_side() -> None:
    assert rank_ranges([one_seed(0.9), one_seed(0.55), one_seed(0.1)], "half") == [(2, 3), (1, 1), (2, 3)]


def test_what_lies_on_either_side_of_half_at_the_same_distance_is_equally_good() -> None:
    assert rank_ranges([one_seed(0.3), one_seed(0.7)], "half") == [(1, 2), (1, 2)]
    assert rank_ranges([over_seeds(0.30, 0.31, 0.29), over_seeds(0.70, 0.69, 0.71)], "half") == [(1, 2), (1, 2)]
    assert rank_ranges([over_seeds(0.30, 0.31, 0.29), over_seeds(0.70, 0.69, 0.71)], "high") == [(2, 2), (1, 1)]


def test_seeds_pair_up_so_that_what_moves_both_does_not_hide_their_difference() -> None:
    ups_and_downs = np.array([0.0, 0.2, -0.2, 0.1, -0.1])
    wiggle = np.array([1, -1, 2, -2, 0]) / 1000
    better, worse = over_seeds(*(0.72 + ups_and_downs + wiggle)), over_seeds(*(0.70 + ups_and_downs))
    assert rank_ranges([worse, better], "high") == [(2, 2), (1, 1)]


def test_the_pair_of_two_entries_over_seeds_is_the_paired_t_test() -> None:
    a, b = (0.70, 0.74, 0.69, 0.75, 0.71), (0.66, 0.71, 0.68, 0.70, 0.70)
    p = stats.ttest_rel(a, b).pvalue
    assert p < 0.05
    assert rank_ranges([over_seeds(*a), over_seeds(*b)], "high") == [(1, 1), (2, 2)]
    closer = (0.66, 0.71, 0.72, 0.70, 0.70)
    assert stats.ttest_rel(a, closer).pvalue > 0.05
    assert rank_ranges([over_seeds(*a), over_seeds(*closer)], "high") == [(1, 2), (1, 2)]


def test_with_one_seed_the_two_errors_add_up() -> None:
    """Twice the error of one, at the .05 quantile of t with 9 degrees of freedom, on the logit scale."""
    needed = stats.t.ppf(0.975, 9) * 2 * 0.01 / 0.25
    for shift, ranks in ((0.97, [(1, 2), (1, 2)]), (1.06, [(2, 2), (1, 1)])):
        higher = 1 / (1 + np.exp(-shift * needed))
        other = one_seed(higher, se=0.01 / 0.25 * higher * (1 - higher))
        assert rank_ranges([one_seed(0.5), other], "high") == ranks


def test_a_constant_score_has_no_error_and_a_perfect_one_none_that_is_known() -> None:
    assert rank_ranges([one_seed(0.7), CONSTANT], "half") == [(2, 2), (1, 1)]
    assert rank_ranges([one_seed(0.505), CONSTANT], "half") == [(1, 2), (1, 2)]
    assert rank_ranges([CONSTANT, CONSTANT], "half") == [(1, 2), (1, 2)]
    assert rank_ranges([PERFECT, one_seed(0.6)], "high") == [(1, 2), (1, 2)]


def test_too_few_originals_for_an_interval_are_too_few_for_a_rank() -> None:
    bare = Measured(Estimate(0.9, status="no-interval", reason="few"))
    assert rank_ranges([bare, one_seed(0.6)], "high") == [(1, 2), (1, 2)]
    mean = Measured(Estimate(0.9, 0.89, 0.91, 5, details={"se": 0.001}))  # whose seeds are not there
    assert rank_ranges([mean, one_seed(0.6)], "high") == [(1, 2), (1, 2)]


def test_what_has_no_number_is_no_input() -> None:
    with pytest.raises(ValueError, match="no AUC to rank: n/a"):
        rank_ranges([Measured(Estimate.undefined("n/a")), one_seed(0.6)], "half")


def test_none_and_one() -> None:
    assert rank_ranges([], "high") == []
    assert rank_ranges([one_seed(0.6)], "half") == [(1, 1)]


@given(st.lists(st.floats(0.05, 0.95), min_size=2, max_size=6), st.randoms())
def test_ranks_follow_their_entries_whatever_the_order(values: list[float], random: Random) -> None:
    order = list(range(len(values)))
    random.shuffle(order)
    entries = [one_seed(value) for value in values]
    ranks = rank_ranges(entries, "high")
    assert rank_ranges([entries[i] for i in order], "high") == [ranks[i] for i in order]
    assert all(1 <= best <= worst <= len(values) for best, worst in ranks)
    assert ranks[int(np.argmax(values))][0] == 1


def seldom(wrong: int, times: int) -> bool:
    """At most one in twenty, as far as chance allows."""
    return bool(stats.binomtest(wrong, times, 0.05, alternative="greater").pvalue > 0.001)


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_equal_entries_are_seldom_put_in_an_order_over_seeds(shared: float) -> None:
    rng, times, wrong = np.random.default_rng(1), 1000, 0
    for _ in range(times):
        noise = shared**0.5 * rng.normal(size=5) + (1 - shared) ** 0.5 * rng.normal(size=(4, 5))
        ranks = rank_ranges([over_seeds(*row) for row in (0.7 + 0.03 * noise).tolist()], "high")
        wrong += ranks != [(1, 4)] * 4
    assert seldom(wrong, times)


@pytest.mark.parametrize("correlation", [-0.99, 0.0, 0.9])
def test_equal_entries_are_seldom_put_in_an_order_with_one_seed_however_they_hang_together(correlation: float) -> None:
    rng, times, wrong, clusters = np.random.default_rng(2), 1000, 0, 5
    mix = np.linalg.cholesky([[1, correlation], [correlation, 1]])
    for _ in range(times):
        per_original = 0.7 + 0.05 * mix @ rng.normal(size=(2, clusters))
        entries = [one_seed(row.mean(), row.std(ddof=1) / clusters**0.5, clusters) for row in per_original]
        wrong += rank_ranges(entries, "high") != [(1, 2)] * 2
    assert seldom(wrong, times)
