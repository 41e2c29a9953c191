"""Do 95 % intervals hold the truth in 95 % of repetitions, and do tests keep their level?

Each check repeats a made-up experiment 2,000 times with fixed seeds. Rows are clustered as in an audit: an original
model shifts the scores of all its records and has an effect of its own on how far positives stand apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.stats import (
    advantage,
    auc,
    auc_above_half,
    clopper_pearson,
    clustered_auc,
    clustered_mean,
    counts_differ,
    korn_graubard,
    mean_above_zero,
    precision_at_prior,
    rank_deg_count,
    rank_deg_rate,
    t_interval,
    tpr_at_fpr,
)

TRIALS = 2_000
FEWEST = 5  # clusters, with which intervals hold least easily
ORIGINALS = (FEWEST, *(pytest.param(more, marks=pytest.mark.slow) for more in (10, 20)))


@dataclass(frozen=True)
class Design:
    """Scores are normal: ``effect`` apart; ``shift``, ``spread``: deviations between originals of level and effect.

    ``record`` is the deviation between records, ``pool`` how many negatives all originals share (0: none are shared);
    ``step`` rounds scores, so that many tie.
    """

    effect: float = 0.8
    shift: float = 0.0
    spread: float = 0.0
    record: float = 0.0
    pool: int = 0
    step: float = 0.0
    positives: int = 20
    negatives: int = 20

    def rounded(self, scores: np.ndarray) -> np.ndarray:
        return np.round(scores / self.step) * self.step if self.step else scores

    def draw(self, originals: int, rng: np.random.Generator) -> Rows:
        m, n = self.positives, self.negatives
        level = rng.normal(0, self.shift, (originals, 1)) if self.shift else np.zeros((originals, 1))
        effect = rng.normal(self.effect, self.spread, (originals, 1))
        noise = math.hypot(1, self.record)
        above = level + effect + rng.normal(0, noise, (originals, m))
        if self.pool:
            queried = rng.permuted(np.tile(np.arange(self.pool), (originals, 1)), axis=1)[:, :n]
            below = level + rng.normal(0, self.record, self.pool)[queried] + rng.normal(size=(originals, n))
        else:
            queried = -1 - np.arange(originals * n).reshape(originals, n)
            below = level + rng.normal(0, noise, (originals, n))
        deleted = self.pool + np.arange(originals * m).reshape(originals, m)
        return Rows(
            self.rounded(np.hstack([above, below])).ravel(),
            np.tile(np.arange(m + n) < m, originals),
            np.repeat(np.arange(originals), m + n),
            np.hstack([deleted, queried]).ravel(),
        )


@dataclass(frozen=True)
class Rows:
    scores: np.ndarray
    positive: np.ndarray
    cluster: np.ndarray
    record: np.ndarray


def _repetitions(design: Design, originals: int, trials: int = TRIALS) -> Iterator[Rows]:
    rng = np.random.default_rng(20211115)
    return (design.draw(originals, rng) for _ in range(trials))


def _coverage(estimates: Iterator[Estimate], truth: float) -> float:
    return float(np.mean([e.low is not None and e.high is not None and e.low <= truth <= e.high for e in estimates]))


@cache
def _auc_within_and_across(design: Design) -> tuple[float, float]:
    """Return the AUC of pairs of one original and of two originals, over a million of each."""
    alone = replace(design, positives=1, negatives=1, pool=0)
    above, below = alone.draw(1_000_000, np.random.default_rng(1)).scores.reshape(-1, 2).T
    share = [np.mean(above > other) + np.mean(above == other) / 2 for other in (below, np.roll(below, 1))]
    return float(share[0]), float(share[1])


def _true_auc(design: Design, originals: int) -> float:
    """Return the expected pooled AUC: one pair in ``originals`` is of one and the same original."""
    within, across = _auc_within_and_across(design)
    return within / originals + across * (1 - 1 / originals)


def test_the_simulated_truth_is_the_analytic_one() -> None:
    design = Design(shift=0.5, spread=0.3)
    within, across = _auc_within_and_across(design)
    assert within == pytest.approx(norm.cdf(0.8 / math.sqrt(2 + 0.09)), abs=0.002)
    assert across == pytest.approx(norm.cdf(0.8 / math.sqrt(2 + 0.09 + 0.5)), abs=0.002)


AUC_DESIGNS = {
    "independent rows": Design(),
    "shift by original": Design(shift=0.5),
    "shift and effect by original": Design(shift=0.5, spread=0.3),
    "much of both": Design(shift=1, spread=0.5),
    "tied scores": Design(shift=0.5, spread=0.3, step=1),
    "fifty negatives a positive": Design(shift=0.5, spread=0.3, positives=4, negatives=200),
}


@pytest.mark.parametrize("originals", ORIGINALS)
@pytest.mark.parametrize("design", AUC_DESIGNS.values(), ids=AUC_DESIGNS.keys())
def test_the_interval_of_the_auc_covers(design: Design, originals: int) -> None:
    found = (clustered_auc(r.scores, r.positive, r.cluster) for r in _repetitions(design, originals))
    assert 0.93 <= _coverage(found, _true_auc(design, originals)) <= 0.97


SHARED = {
    "few, each queried of every original": Design(shift=0.5, spread=0.3, record=1, pool=20),
    "many, each queried of some": Design(shift=0.5, spread=0.3, record=1, pool=400, negatives=100),
}


@pytest.mark.parametrize("originals", ORIGINALS)
@pytest.mark.parametrize("design", SHARED.values(), ids=SHARED.keys())
def test_with_records_given_the_interval_covers_shared_negatives(design: Design, originals: int) -> None:
    rows = _repetitions(design, originals)
    found = (clustered_auc(r.scores, r.positive, r.cluster, record=r.record) for r in rows)
    # Above nominal for few originals: their t quantile widens the records' part too, which more is known about.
    assert 0.93 <= _coverage(found, _true_auc(design, originals)) <= (0.99 if originals == 5 else 0.97)


def test_without_records_it_covers_shared_negatives_while_they_are_many() -> None:
    design = Design(shift=0.5, spread=0.3, record=1, pool=1500, negatives=300)
    found = (clustered_auc(r.scores, r.positive, r.cluster) for r in _repetitions(design, 10, 1_000))
    assert 0.93 <= _coverage(found, _true_auc(design, 10)) <= 0.97


def test_without_records_it_falls_short_where_all_originals_share_few_negatives() -> None:
    design = SHARED["few, each queried of every original"]
    found = (clustered_auc(r.scores, r.positive, r.cluster) for r in _repetitions(design, 10))
    assert _coverage(found, _true_auc(design, 10)) < 0.85


def test_clusters_that_hold_one_class_only_cover_with_room_to_spare() -> None:
    rng, design = np.random.default_rng(3), Design(effect=0, shift=0.5, positives=10, negatives=10)

    def repeat() -> Estimate:
        rows = design.draw(20, rng)
        positive = rows.cluster < 10
        return clustered_auc(rows.scores + 0.8 * positive, positive, rows.cluster)

    truth = norm.cdf(0.8 / math.sqrt(2.5))
    assert 0.94 <= _coverage((repeat() for _ in range(TRIALS)), truth) <= 0.99


def _keeps_level(p_values: list[float], level: float) -> bool:
    """Tell whether the share of p-values under ``level`` is within four binomial standard errors of it."""
    share = float(np.mean(np.array(p_values) <= level))
    return abs(share - level) <= 4 * math.sqrt(level * (1 - level) / len(p_values))


@pytest.mark.parametrize("originals", ORIGINALS)
def test_on_pure_noise_the_test_above_chance_keeps_its_level(originals: int) -> None:
    rows = _repetitions(Design(effect=0, shift=0.5, spread=0.2), originals)
    p = [auc_above_half(r.scores, r.positive, r.cluster) for r in rows]
    assert all(_keeps_level(p, level) for level in (0.01, 0.05, 0.1, 0.5))


def test_on_features_alone_the_test_above_chance_keeps_its_level_with_shared_negatives() -> None:
    design = Design(effect=0, record=20, pool=200, negatives=100)  # a blind attack: nearly all is the record's
    p = [auc_above_half(r.scores, r.positive, r.cluster, r.record) for r in _repetitions(design, 10)]
    assert all(_keeps_level(p, level) for level in (0.01, 0.05, 0.1, 0.5))


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_a_mean_covers(originals: int) -> None:
    rng = np.random.default_rng(4)

    def repeat() -> Estimate:
        cluster = np.repeat(np.arange(originals), 20)
        values = rng.normal(0.3, 0.5, originals)[cluster] + rng.exponential(1, len(cluster))
        return clustered_mean(values, cluster)

    assert 0.93 <= _coverage((repeat() for _ in range(TRIALS)), 1.3) <= 0.97


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_over_seeds_covers_on_the_scale_of_the_number(seeds: int) -> None:
    rng = np.random.default_rng(5)
    draws: dict[Scale, tuple[Callable[[], np.ndarray], float]] = {
        "share": (lambda: rng.normal(0.8, 0.02, seeds), 0.8),
        "gain": (lambda: rng.normal(0.02, 0.05, seeds), 0.02),
        "positive": (lambda: rng.lognormal(0, 0.3, seeds), math.exp(0.045)),
    }
    for scale, (draw, truth) in draws.items():
        assert 0.93 <= _coverage((t_interval(draw(), scale) for _ in range(TRIALS)), truth) <= 0.97


PROPORTIONS = [(5, 20, 0.1, 0.05), (10, 20, 0.1, 0.05), (20, 20, 0.1, 0.2), (20, 100, 0.05, 0.02), (10, 20, 0.02, 0.05)]


def _hits(k: int, rows: int, share: float, correlation: float, rng: np.random.Generator) -> np.ndarray:
    per_cluster = rng.beta(share * (1 / correlation - 1), (1 - share) * (1 / correlation - 1), (k, 1))
    return (rng.random((k, rows)) < per_cluster).ravel()


@pytest.mark.parametrize(("k", "rows", "share", "correlation"), PROPORTIONS)
def test_korn_and_graubard_cover_with_room_to_spare(k: int, rows: int, share: float, correlation: float) -> None:
    rng, cluster = np.random.default_rng(6), np.repeat(np.arange(k), rows)
    found = (korn_graubard(_hits(k, rows, share, correlation, rng), cluster) for _ in range(TRIALS))
    assert _coverage(found, share) >= 0.925


def test_clopper_and_pearson_alone_would_fall_short() -> None:
    rng = np.random.default_rng(6)
    ends = [clopper_pearson(int(_hits(20, 20, 0.1, 0.2, rng).sum()), 400) for _ in range(TRIALS)]
    assert np.mean([low <= 0.1 <= high for low, high in ends]) < 0.75


FIXED = Design(shift=0.5, spread=0.3, negatives=100)


def _rates(design: Design, threshold: float) -> tuple[float, float]:
    below = math.hypot(1, design.shift)
    return norm.sf((threshold - design.effect) / math.hypot(below, design.spread)), norm.sf(threshold / below)


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_the_advantage_covers(originals: int) -> None:
    tpr, fpr = _rates(FIXED, 0.4)
    found = (advantage(r.scores, r.positive, 0.4, r.cluster) for r in _repetitions(FIXED, originals))
    assert 0.93 <= _coverage(found, tpr - fpr) <= 0.97


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_the_advantage_covers_where_nearly_all_or_all_positives_are_found(originals: int) -> None:
    design = Design(effect=4, shift=0.3, spread=0.3, negatives=20)
    tpr, fpr = _rates(design, 1.5)
    found = [advantage(r.scores, r.positive, 1.5, r.cluster) for r in _repetitions(design, originals, 1_000)]
    assert tpr > 0.98
    assert 0.93 <= _coverage(iter(found), tpr - fpr) <= 0.98


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_the_precision_covers(originals: int) -> None:
    tpr, fpr = _rates(FIXED, 0.4)
    truth = 0.1 * tpr / (0.1 * tpr + 0.9 * fpr)
    found = (precision_at_prior(r.scores, r.positive, 0.4, 0.1, r.cluster) for r in _repetitions(FIXED, originals))
    assert 0.93 <= _coverage(found, truth) <= 0.97


@pytest.mark.parametrize("originals", ORIGINALS)
def test_far_in_the_tail_both_cover_too(originals: int) -> None:
    tpr, fpr = _rates(FIXED, 2.3)
    assert fpr < 0.02
    gain = (advantage(r.scores, r.positive, 2.3, r.cluster) for r in _repetitions(FIXED, originals, 1_000))
    assert 0.92 <= _coverage(gain, tpr - fpr) <= 0.98
    truth = 0.01 * tpr / (0.01 * tpr + 0.99 * fpr)
    rows = _repetitions(FIXED, originals, 1_000)
    precise = (precision_at_prior(r.scores, r.positive, 2.3, 0.01, r.cluster) for r in rows)
    assert 0.93 <= _coverage(precise, truth) <= 0.99


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_the_tpr_covers_although_the_threshold_is_estimated(originals: int) -> None:
    design = Design(negatives=1000 // originals * 2)
    tpr = norm.sf(norm.isf(0.05) - design.effect)
    rows = _repetitions(design, originals, 1_000)
    assert _coverage((tpr_at_fpr(r.scores, r.positive, 0.05, r.cluster) for r in rows), tpr) >= 0.93


@pytest.mark.parametrize(
    "design",
    [Design(3, positives=100, negatives=1000), Design(2, 0.3, 0.3, positives=50, negatives=1000)],
    ids=["independent rows", "shift and effect by original"],
)
def test_the_interval_of_the_tpr_at_one_in_a_thousand_covers(design: Design) -> None:
    below = math.hypot(1, design.shift)
    tpr = norm.sf((norm.isf(0.001) * below - design.effect) / math.hypot(below, design.spread))
    rows = _repetitions(design, 10, 500)
    assert _coverage((tpr_at_fpr(r.scores, r.positive, 0.001, r.cluster) for r in rows), tpr) >= 0.93


def _unlike(sizes: np.ndarray, effect: float, shift: float, spread: float, rng: np.random.Generator) -> Rows:
    """Draw clusters with ``sizes`` positives and as many negatives each."""
    cluster = np.tile(np.repeat(np.arange(len(sizes)), sizes), 2)
    positive = np.arange(len(cluster)) < sizes.sum()
    level, extra = rng.normal(0, shift, len(sizes)), rng.normal(effect, spread, len(sizes))
    return Rows(
        level[cluster] + positive * extra[cluster] + rng.normal(size=len(cluster)),
        positive,
        cluster,
        np.arange(len(cluster)),
    )


SIZES = {
    "1 to 40": np.array([1, 3, 5, 8, 12, 17, 22, 28, 34, 40]),
    "three large of ten": np.array([40, 40, 40, 4, 4, 4, 4, 4, 4, 4]),
    "twenty, a few large": np.array([60, 40, 40, 30, 20, 10, 10, 5, 5, 5, 3, 3, 2, 2, 2, 1, 1, 1, 1, 1]),
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_the_interval_of_the_auc_covers_for_clusters_of_unlike_size(sizes: np.ndarray) -> None:
    rng, big = np.random.default_rng(11), np.random.default_rng(12)
    rows = (_unlike(sizes, 0.8, 0.5, 0.3, rng) for _ in range(1_000))
    found = [clustered_auc(r.scores, r.positive, r.cluster) for r in rows]
    several = (_unlike(sizes, 0.8, 0.5, 0.3, big) for _ in range(4_000))
    truth = float(np.mean([auc(r.scores, r.positive) for r in several]))
    assert 0.93 <= _coverage(iter(found), truth) <= 0.98


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_the_interval_of_a_mean_covers_for_clusters_of_unlike_size(sizes: np.ndarray) -> None:
    rng, cluster = np.random.default_rng(13), np.repeat(np.arange(len(sizes)), sizes)
    values = (rng.normal(0.3, 0.5, len(sizes))[cluster] + rng.normal(size=len(cluster)) for _ in range(1_000))
    assert 0.93 <= _coverage((clustered_mean(v, cluster) for v in values), 0.3) <= 0.98


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
def test_on_pure_noise_the_test_above_chance_keeps_its_level_for_clusters_of_unlike_size(sizes: np.ndarray) -> None:
    rng = np.random.default_rng(14)
    rows = (_unlike(sizes, 0, 1, 0.5, rng) for _ in range(1_000))
    p = np.array([auc_above_half(r.scores, r.positive, r.cluster) for r in rows])
    assert np.mean(2 * np.minimum(p, 1 - p) <= 0.05) <= 0.065


@pytest.mark.parametrize("originals", ORIGINALS)
def test_near_1_the_interval_of_the_auc_covers_where_effects_vary_or_there_is_none(originals: int) -> None:
    design = Design(effect=4, shift=0.5, spread=1)
    truth = _true_auc(design, originals)
    found = [clustered_auc(r.scores, r.positive, r.cluster) for r in _repetitions(design, originals, 1_000)]
    printed = [estimate for estimate in found if estimate.status == "ok"]
    assert 0.98 < truth < 0.99
    assert len(printed) > 400
    assert _coverage(iter(printed), truth) >= 0.93


@pytest.mark.parametrize("step", [0, 0.5, 2], ids=["no ties", "some ties", "few distinct scores"])
@pytest.mark.parametrize("originals", [10, pytest.param(40, marks=pytest.mark.slow)])
def test_the_interval_of_the_rank_count_covers_with_ties_too(step: float, originals: int) -> None:
    rng, trials = np.random.default_rng(15), 500
    design = Design(shift=0.5, spread=0.3, step=step, positives=10, negatives=10)
    classical = Design(effect=0.2, shift=0.3, step=step, positives=10, negatives=10)

    def repeat() -> Estimate:
        rows = design.draw(originals, rng)
        return rank_deg_count(rows.scores, classical.draw(originals, rng).scores, rows.positive, rows.cluster)

    found = [repeat() for _ in range(trials)]
    truth = float(np.mean([estimate.value for estimate in found]))
    assert 0.92 <= _coverage(iter(found), truth) <= 0.97


@pytest.mark.parametrize("originals", ORIGINALS)
def test_the_interval_of_the_rank_rate_covers(originals: int) -> None:
    rng, design = np.random.default_rng(8), Design(shift=0.5, spread=0.3)
    classical = Design(effect=0.2, shift=0.3)

    def repeat() -> Estimate:
        rows = design.draw(originals, rng)
        return rank_deg_rate(rows.scores, classical.draw(originals, rng).scores, rows.positive, rows.cluster)

    truth = (_true_auc(design, originals) - _true_auc(classical, originals)) / 2
    assert 0.93 <= _coverage((repeat() for _ in range(TRIALS)), truth) <= 0.97


def test_on_pure_noise_the_t_test_of_a_mean_keeps_its_level() -> None:
    rng = np.random.default_rng(9)
    p = [mean_above_zero(rng.normal(size=5)) for _ in range(TRIALS)]
    assert all(_keeps_level(p, level) for level in (0.05, 0.1, 0.5))


@pytest.mark.slow
def test_on_pure_noise_the_permutation_test_of_counts_keeps_its_level() -> None:
    rng = np.random.default_rng(10)
    drawn = (rng.multinomial([200, 600], [0.3, 0.3, 0.2, 0.1, 0.1]) for _ in range(TRIALS // 4))
    p = [counts_differ(first, second, rng) for first, second in drawn]
    assert all(_keeps_level(p, level) for level in (0.05, 0.1, 0.5))
