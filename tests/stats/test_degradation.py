from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stats.whole import numbers
from unlearnbench.stats import auc, deg_count, deg_rate, rank_deg_count, rank_deg_rate, true_confidence
from unlearnbench.stats.clusters import clusters_of
from unlearnbench.stats.variance import halves_variance

CLUSTER = np.arange(40) // 8
POSITIVE = np.arange(40) % 2 == 0


def _scores(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.round(rng.random(40) + 0.4 * POSITIVE, 1), np.round(rng.random(40), 1)


def test_confidence_is_in_the_true_status() -> None:
    assert true_confidence([0.9, 0.9], [True, False]) == pytest.approx([0.9, 0.1])


def test_deg_count_is_the_share_of_rows_with_strictly_more_confidence() -> None:
    estimate = deg_count([0.9, 0.5, 0.2, 0.7, 0.6], [0.1, 0.5, 0.4, 0.6, 0.6], range(5))
    assert (estimate.value, estimate.details["tie_rate"]) == (0.4, 0.4)


def test_deg_rate_is_the_mean_difference_and_not_a_ratio() -> None:
    assert deg_rate([0.9, 0.5, 0.2], [0.1, 0.5, 0.4], range(3)).value == pytest.approx(0.2)


def test_intervals_stay_within_what_the_numbers_can_be() -> None:
    better = np.append(np.ones(39), 0)
    assert 0 < numbers(deg_count(better, np.full(40, 0.5), CLUSTER))[2] < 1
    assert -1 < numbers(deg_rate(np.append(np.ones(39), 0), np.zeros(40), CLUSTER))[2] < 1


def test_no_rows_are_undefined() -> None:
    assert deg_count([], [], []).status == deg_rate([], [], []).status == "undefined"


@given(st.integers(0, 300))
def test_rank_deg_rate_is_exactly_half_the_gain_in_auc_of_a_balanced_game(seed: int) -> None:
    scores, classical = _scores(seed)
    gain = auc(scores, POSITIVE) - auc(classical, POSITIVE)
    assert rank_deg_rate(scores, classical, POSITIVE, CLUSTER).value == pytest.approx(gain / 2, abs=1e-12)


def test_in_an_unbalanced_game_it_is_the_stated_share_of_the_gain() -> None:
    scores, classical = _scores(1)
    positive = np.arange(40) % 5 == 0
    gain = auc(scores, positive) - auc(classical, positive)
    value = rank_deg_rate(scores, classical, positive, CLUSTER).value
    assert value == pytest.approx(2 * 8 * 32 / 40**2 * gain)


def test_rank_duplicates_do_not_see_how_boldly_an_attack_speaks() -> None:
    scores, classical = _scores(2)
    for counterpart in (rank_deg_rate, rank_deg_count):
        assert counterpart(scores**9, classical, POSITIVE, CLUSTER) == counterpart(scores, classical, POSITIVE, CLUSTER)
    moderate, extreme = (true_confidence(s, POSITIVE) for s in (classical, np.where(classical > 0.5, 1, 0)))
    assert deg_rate(extreme, moderate, CLUSTER).value != 0


def test_an_attack_gains_nothing_on_itself() -> None:
    scores, _ = _scores(3)
    rate, count = (counterpart(scores, scores, POSITIVE, CLUSTER) for counterpart in (rank_deg_rate, rank_deg_count))
    assert (rate.value, rate.status) == (0, "degenerate")
    assert (count.value, count.details["tie_rate"]) == (0, 1)


def test_rank_deg_count_is_the_share_of_rows_nearer_their_true_end() -> None:
    estimate = rank_deg_count([4, 3, 2, 1], [1, 3, 2, 4], [True, False, True, False], [0, 1, 2, 3])
    assert (estimate.value, estimate.details["tie_rate"]) == (0.5, 0.5)


@given(st.integers(0, 100))
def test_the_error_of_rank_deg_count_is_that_of_counts_on_halves_of_the_clusters(seed: int) -> None:
    scores, classical = _scores(seed)
    estimate = rank_deg_count(scores, classical, POSITIVE, CLUSTER)

    def count(rows: np.ndarray) -> float:
        value = rank_deg_count(*(column[rows] for column in (scores, classical, POSITIVE, CLUSTER))).value
        assert value is not None
        return value

    expected = halves_variance(count, clusters_of(CLUSTER, 40))
    assert estimate.details["se"] == pytest.approx(np.sqrt(expected.value))
    assert estimate.details["degrees"] == pytest.approx(4)


def test_without_both_classes_the_rank_rate_is_undefined() -> None:
    assert rank_deg_rate([1, 2], [2, 1], [True, True], [0, 1]).status == "undefined"
