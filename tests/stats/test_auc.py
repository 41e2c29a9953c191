from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.special import stdtrit

from tests.stats.whole import numbers
from unlearnbench.stats import auc, auc_above_half, clustered_auc, delong_se, structural_components

K, J = np.arange(100), np.arange(120)
KNOWN_SCORES = np.concatenate([1.2 * ((37 * K) % 101) / 100 + 0.35, ((53 * J) % 97) / 97])
KNOWN_POSITIVE = np.arange(220) < 100
KNOWN_CLUSTER = np.concatenate([K % 10, J % 10])

ROWS = st.lists(st.tuples(st.integers(-4, 4), st.booleans(), st.integers(0, 7)), min_size=30, max_size=60)


def _noise(clusters: int, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    scores = np.random.default_rng(seed).normal(size=clusters * rows)
    return scores, np.tile(np.arange(rows) % 2 == 0, clusters), np.repeat(np.arange(clusters), rows)


def test_placements_average_to_the_auc_over_either_class() -> None:
    component = structural_components(KNOWN_SCORES, KNOWN_POSITIVE)
    assert component[KNOWN_POSITIVE].mean() == pytest.approx(auc(KNOWN_SCORES, KNOWN_POSITIVE), abs=1e-14)
    assert component[~KNOWN_POSITIVE].mean() == pytest.approx(auc(KNOWN_SCORES, KNOWN_POSITIVE), abs=1e-14)


def test_placements_are_shares_of_the_other_class_with_ties_one_half() -> None:
    assert structural_components([1, 2, 2, 3], [0, 0, 1, 1]).tolist() == [1, 0.75, 0.75, 1]


def test_placements_of_one_class_are_an_error() -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        structural_components([1, 2], [True, True])


def test_the_error_of_independent_rows_is_that_of_two_public_codes() -> None:
    assert delong_se(KNOWN_SCORES, KNOWN_POSITIVE) == pytest.approx(0.026688469114192134, abs=1e-15)


def test_the_clustered_error_is_nearly_the_known_one_of_obuchowski() -> None:
    estimate = clustered_auc(KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER)
    assert estimate.value == pytest.approx(0.8279166666666667, abs=1e-15)
    assert estimate.details["se"] == pytest.approx(0.022613909190780993, rel=0.02)
    assert estimate.details["design_effect"] == pytest.approx((0.022613909190780993 / 0.026688469114192134) ** 2)
    assert (estimate.n, estimate.details["clusters"]) == (220, 10)
    assert estimate.details["degrees"] == pytest.approx(9)


def _left_out(scores: np.ndarray, positive: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    each = np.array([auc(scores[cluster != k], positive[cluster != k]) for k in np.unique(cluster)])
    return np.asarray(np.log(each / (1 - each)))


@given(st.integers(0, 1000))
def test_the_clustered_error_is_that_of_the_auc_without_each_cluster_in_turn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = np.concatenate([np.arange(7), np.arange(7), rng.integers(0, 7, 60)])
    positive = np.concatenate([np.ones(7, bool), np.zeros(7, bool), rng.random(60) < 0.5])
    scores = np.round(rng.normal(size=74) + positive, 1)
    estimate = clustered_auc(scores, positive, cluster)
    assume(estimate.status == "ok")
    _, a, _ = numbers(estimate)
    shares = [np.bincount(cluster[rows]) / rows.sum() for rows in (positive, ~positive)]
    moved = _left_out(scores, positive, cluster) - np.log(a / (1 - a))
    expected = np.sqrt(((1 - np.maximum(*shares)) * moved**2).sum())
    assert estimate.details["se"] / (a * (1 - a)) == pytest.approx(expected)


@given(ROWS)
def test_the_clustered_error_is_obuchowskis_three_sums_where_every_cluster_holds_both_classes(
    rows: list[tuple[int, bool, int]],
) -> None:
    scores, positive, cluster = (np.array(column) for column in zip(*rows, strict=True))
    scores = np.concatenate([scores, np.tile([3, -1], 8)]).astype(float)
    positive = np.concatenate([positive, np.tile([True, False], 8)])
    cluster = np.concatenate([cluster, np.repeat(np.arange(8), 2)])
    above, below = scores[positive], scores[~positive]
    psi = (above[:, None] > below) + (above[:, None] == below) / 2
    m, n, g, value = len(above), len(below), 8, psi.mean()
    x = np.array([(psi.mean(axis=1)[cluster[positive] == k] - value).sum() for k in range(g)])
    y = np.array([(psi.mean(axis=0)[cluster[~positive] == k] - value).sum() for k in range(g)])
    s10, s01, s11 = g / ((g - 1) * m) * (x @ x), g / ((g - 1) * n) * (y @ y), g / (g - 1) * (x @ y)
    variance = s10 / m + s01 / n + 2 * s11 / (m * n)
    shared = np.column_stack([np.bincount(cluster[rows]) / rows.sum() for rows in (positive, ~positive)])
    corrected = ((np.column_stack([x / m, y / n]) / np.sqrt(1 - shared)).sum(axis=1) ** 2).sum()
    estimate = clustered_auc(scores, positive, cluster)
    if "design_effect" in estimate.details:
        found = estimate.details["design_effect"] * delong_se(scores, positive) ** 2
        assert found == pytest.approx(corrected, abs=1e-14)
        if np.ptp(shared) < 1e-12:
            assert found == pytest.approx(variance, abs=1e-14)


def test_the_interval_is_symmetric_on_the_logit_scale_with_t() -> None:
    estimate = clustered_auc(KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER, level=0.9)
    _, a, _ = numbers(estimate)
    half = stdtrit(9, 0.95) * estimate.details["se"] / (a * (1 - a))
    low, middle, high = (np.log(p / (1 - p)) for p in numbers(estimate))
    assert (middle - low, high - middle) == pytest.approx((half, half))


def test_macro_auc_is_the_mean_of_the_aucs_within_clusters_that_hold_both_classes() -> None:
    scores, positive, cluster = np.round(_noise(7, 20)[0], 1), *_noise(7, 20)[1:]
    within = [auc(scores[cluster == k], positive[cluster == k]) for k in range(7)]
    scores, positive = np.append(scores, 0.0), np.append(positive, True)
    estimate = clustered_auc(scores, positive, np.append(cluster, 99))
    assert estimate.details["macro_auc"] == pytest.approx(np.mean(within))


@given(st.randoms(use_true_random=False))
def test_the_interval_sees_neither_the_order_of_rows_nor_the_names_of_clusters_nor_the_scale(random: Random) -> None:
    order = random.sample(range(220), 220)
    one = clustered_auc(KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER)
    named = np.array([f"model {k}" for k in 100 - KNOWN_CLUSTER])
    other = clustered_auc(KNOWN_SCORES[order] ** 3, KNOWN_POSITIVE[order], named[order])
    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high), abs=1e-12)


def test_swapping_the_classes_turns_the_interval_round() -> None:
    one = clustered_auc(KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER)
    other = clustered_auc(KNOWN_SCORES, ~KNOWN_POSITIVE, KNOWN_CLUSTER)
    low, _, high = numbers(other)
    assert (1 - high, 1 - low) == pytest.approx((one.low, one.high), abs=1e-12)


def test_copies_of_rows_in_their_cluster_add_no_knowledge() -> None:
    one = clustered_auc(KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER)
    copied = clustered_auc(np.tile(KNOWN_SCORES, 5), np.tile(KNOWN_POSITIVE, 5), np.tile(KNOWN_CLUSTER, 5))
    assert (copied.low, copied.high) == pytest.approx((one.low, one.high), abs=1e-12)
    assert copied.details["design_effect"] > 4 * one.details["design_effect"]


def test_records_that_no_two_clusters_share_have_no_influence_however_often_one_cluster_queries_them() -> None:
    scores, positive, cluster, record = (
        np.tile(column, 5) for column in (KNOWN_SCORES, KNOWN_POSITIVE, KNOWN_CLUSTER, np.arange(220))
    )
    alone, named = (clustered_auc(scores, positive, cluster, record=r) for r in (None, record))
    assert (named.low, named.high) == pytest.approx((alone.low, alone.high), abs=1e-12)


def test_records_that_clusters_share_widen_the_interval() -> None:
    scores, positive, cluster = _noise(10, 20)
    record = np.where(positive, np.arange(200), -1 - np.arange(200) % 20)
    scores = np.where(positive, scores, np.random.default_rng(1).normal(size=20)[record % 20])
    alone, shared = (clustered_auc(scores, positive, cluster, record=r) for r in (None, record))
    assert shared.value == alone.value
    assert shared.details["se"] > 1.5 * alone.details["se"]


def test_four_clusters_have_no_interval_and_five_have_one() -> None:
    four, five = clustered_auc(*_noise(4, 10)), clustered_auc(*_noise(5, 10))
    assert (four.status, four.low, four.reason) == ("no-interval", None, "an interval needs 5 clusters, has 4")
    assert five.status == "ok"


def test_clusters_may_hold_one_class_only_and_the_rarer_class_counts() -> None:
    scores, _, cluster = _noise(9, 10)
    assert clustered_auc(scores, cluster < 4, cluster).status == "no-interval"
    assert clustered_auc(*_noise(10, 10)[::2][:1], _noise(10, 10)[2] < 5, _noise(10, 10)[2]).status == "ok"


def test_a_constant_score_is_exactly_chance_and_degenerate() -> None:
    estimate = clustered_auc(np.ones(60), np.arange(60) % 3 == 0, np.arange(60) // 6)
    assert (estimate.value, estimate.status, estimate.reason) == (0.5, "degenerate", "constant score")


@pytest.mark.parametrize(("sign", "value", "word"), [(1, 1, "above"), (-1, 0, "below")])
def test_a_perfect_score_has_no_interval(sign: int, value: int, word: str) -> None:
    positive = np.arange(60) % 3 == 0
    estimate = clustered_auc(sign * positive, positive, np.arange(60) // 6)
    assert (estimate.value, estimate.status, estimate.low) == (value, "degenerate", None)
    assert word in estimate.reason


def test_an_auc_nearly_perfect_has_a_value_and_no_interval() -> None:
    rng, positive = np.random.default_rng(0), np.tile([True, False], 200)
    estimate = clustered_auc(rng.normal(size=400) + 4 * positive, positive, np.arange(400) // 40)
    assert estimate.value is not None
    assert 0.99 < estimate.value < 1
    assert (estimate.status, estimate.low) == ("no-interval", None)
    assert estimate.reason == "beyond 0.99 one original may hold all pairs that are out of order"


def test_the_share_of_tied_pairs_within_clusters_is_in_the_details() -> None:
    scores, positive, cluster = np.round(_noise(7, 20)[0]), *_noise(7, 20)[1:]
    tied = [scores[positive & (cluster == k)][:, None] == scores[~positive & (cluster == k)] for k in range(7)]
    assert clustered_auc(scores, positive, cluster).details["tied_pairs"] == pytest.approx(np.mean(tied))


def test_where_one_cluster_holds_all_pairs_that_are_out_of_order_there_is_no_interval() -> None:
    positive, cluster = np.tile([True, False], 50), np.arange(100) // 10
    scores = np.where(cluster == 3, 0.5 - positive, positive)
    estimate = clustered_auc(scores, positive, cluster)
    assert (estimate.status, estimate.reason) == (
        "no-interval",
        "all pairs that are out of order are of one original",
    )


def test_clusters_that_are_all_alike_leave_no_spread_to_go_by() -> None:
    scores, positive, _ = _noise(1, 10)
    estimate = clustered_auc(np.tile(scores, 6), np.tile(positive, 6), np.repeat(np.arange(6), 10))
    assert (estimate.status, estimate.reason) == ("degenerate", "no spread between clusters")


@pytest.mark.parametrize("positive", [np.ones(30, bool), np.zeros(30, bool)])
def test_one_class_leaves_the_auc_undefined_and_the_test_silent(positive: np.ndarray) -> None:
    scores, cluster = np.arange(30.0), np.arange(30) // 5
    assert clustered_auc(scores, positive, cluster).status == "undefined"
    assert auc_above_half(scores, positive, cluster) == 1


def test_one_row_a_class_has_a_value() -> None:
    estimate = clustered_auc([1, 1, 2], [True, False, False], [0, 0, 1])
    assert (estimate.value, estimate.status) == (0.25, "no-interval")


def test_ids_of_another_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="3 ids, one a row"):
        clustered_auc([1, 2, 3], [True, False, True], [0, 1])


def test_the_p_value_is_one_half_at_chance_and_falls_as_the_auc_rises() -> None:
    scores, positive, cluster = _noise(10, 20)
    p = [auc_above_half(scores + shift * positive, positive, cluster) for shift in (-3, 0, 0.5, 3)]
    assert p == sorted(p, reverse=True)
    assert p[0] > 0.999
    assert p[-1] < 1e-6


@given(st.integers(0, 1000))
def test_the_p_values_of_both_directions_add_up_to_one(seed: int) -> None:
    scores, positive, cluster = _noise(6, 12, seed)
    both = auc_above_half(scores, positive, cluster) + auc_above_half(-scores, positive, cluster)
    assert both == pytest.approx(1, abs=1e-9)


def test_a_perfect_score_is_found_although_it_has_no_spread() -> None:
    positive = np.arange(60) % 3 == 0
    assert auc_above_half(positive, positive, np.arange(60) // 6) == 0
    assert auc_above_half(~positive, positive, np.arange(60) // 6) == 1


def test_a_constant_score_and_too_few_clusters_are_not_found() -> None:
    positive = np.arange(60) % 3 == 0
    assert auc_above_half(np.ones(60), positive, np.arange(60) // 6) == 1
    assert auc_above_half(positive, positive, np.arange(60) // 15) == 1
