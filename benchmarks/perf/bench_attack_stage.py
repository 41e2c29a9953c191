"""What comes after training: features, and statistics of 100,000 scores, each beside a loop over rows or pairs.

The loops are the definitions, written down as a textbook has them. Where one would take minutes it gets fewer rows; its
rate is then that of rows, or for kernels over all pairs that of pairs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from comparing import Compare
from numpy.typing import NDArray

from unlearnbench.builtin.attacks import features
from unlearnbench.stats import (
    best_threshold,
    clustered_auc,
    deg_count,
    deg_rate,
    midranks,
    rank_deg_count,
    tpr_at_fpr,
    true_confidence,
)

Array = NDArray[np.float64]
ROWS, FEW, CLASSES, CLUSTERS = 100_000, 1_000, 10, 20
TABLE = "Attack stage"


def posteriors(n: int, seed: int) -> Array:
    """Return made-up posteriors (n, CLASSES)."""
    return np.random.default_rng(seed).dirichlet(np.ones(CLASSES), size=n)


def scored(n: int) -> tuple[Array, NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return scores with ties, classes, clusters and records of n rows, one positive in ten."""
    rng = np.random.default_rng(0)
    positive = np.arange(n) % 10 == 0
    scores = np.round(rng.normal(size=n) + positive, 3)
    return scores, positive, np.arange(n) * CLUSTERS // n, rng.integers(n // 4 + 1, size=n)


def _direct_concat(before: list[float], after: list[float]) -> list[float]:
    return before + after


def _sorted_diff(before: list[float], after: list[float]) -> list[float]:
    order = sorted(range(len(before)), key=before.__getitem__)
    return [before[c] - after[c] for c in order]


def _euclidean(before: list[float], after: list[float]) -> list[float]:
    return [math.sqrt(sum((b - a) ** 2 for b, a in zip(before, after, strict=True)))]


FEATURES: dict[str, tuple[Callable[[Array, Array], Array], Callable[[list[float], list[float]], list[float]]]] = {
    "direct-concat": (features.direct_concat, _direct_concat),
    "sorted-diff": (lambda before, after: features.sorted_diff(before, after, "original"), _sorted_diff),
    "euclidean": (features.euclidean, _euclidean),
}


@pytest.mark.parametrize("name", FEATURES)
def bench_features(name: str, compare: Compare) -> None:
    """Make the feature of every row."""
    fast, slow = FEATURES[name]
    before, after = posteriors(ROWS, 0), posteriors(ROWS, 1)
    rows = list(zip(before[:FEW].tolist(), after[:FEW].tolist(), strict=True))
    compare(
        "feature, rows",
        f"{name}, {ROWS:,} rows, {CLASSES} classes",
        reference=lambda: np.array([slow(b, a) for b, a in rows]),
        reference_models=FEW,
        fast=lambda: fast(before, after),
        fast_models=ROWS,
        table=TABLE,
    )


def pairwise_auc(scores: list[float], positive: list[bool], cluster: list[int]) -> tuple[float, float]:
    """Return the AUC and its clustered standard error from the kernel of every pair (Obuchowski 1997)."""
    above = [i for i, p in enumerate(positive) if p]
    below = [i for i, p in enumerate(positive) if not p]
    placement = dict.fromkeys(range(len(scores)), 0.0)
    for i, j in product(above, below):
        kernel = 1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
        placement[i] += kernel / len(below)
        placement[j] += kernel / len(above)
    auc = sum(placement[i] for i in above) / len(above)
    sums = dict.fromkeys(cluster, 0.0)
    for chosen in (above, below):
        for i in chosen:
            sums[cluster[i]] += (placement[i] - auc) / len(chosen)
    count = len(sums)
    return auc, math.sqrt(sum(total**2 for total in sums.values()) * count / (count - 1))


def bench_clustered_delong(compare: Compare) -> None:
    """Estimate the AUC with its clustered interval; the loop is over pairs of a row of each class."""
    few, many = scored(FEW), scored(ROWS)
    compare(
        "clustered DeLong, pairs",
        f"{ROWS:,} rows, {CLUSTERS} clusters",
        reference=lambda: pairwise_auc(few[0].tolist(), few[1].tolist(), few[2].tolist()),
        reference_models=_pairs(few[1]),
        fast=lambda: clustered_auc(*many[:3]),
        fast_models=_pairs(many[1]),
        table=TABLE,
    )


def _pairs(positive: NDArray[np.bool_]) -> int:
    return int(positive.sum()) * int((~positive).sum())


def bench_clustered_delong_by_records(compare: Compare) -> None:
    """Estimate it where rows of one record depend on each other too."""
    few, many = scored(FEW), scored(ROWS)
    compare(
        "two-way clustered DeLong, pairs",
        f"{ROWS:,} rows, {CLUSTERS} clusters",
        reference=lambda: [pairwise_auc(few[0].tolist(), few[1].tolist(), ids.tolist()) for ids in few[2:]],
        reference_models=_pairs(few[1]),
        fast=lambda: clustered_auc(*many[:3], record=many[3]),
        fast_models=_pairs(many[1]),
        table=TABLE,
    )


def bench_midranks(compare: Compare) -> None:
    """Rank all rows; the loop counts for each row who is below and who is equal."""
    scores = scored(ROWS)[0]
    few = scores[:FEW].tolist()
    compare(
        "mid-ranks, rows",
        f"{ROWS:,} rows",
        reference=lambda: [sum(y < x for y in few) + (1 + sum(y == x for y in few)) / 2 for x in few],
        reference_models=FEW,
        fast=lambda: midranks(scores),
        fast_models=ROWS,
        table=TABLE,
    )


def plain_tpr(scores: list[float], positive: list[bool], fpr: float) -> float:
    """Return the largest TPR among all thresholds with at most so high an FPR, by trying each score."""
    best, above, below = 0.0, sum(positive), len(positive) - sum(positive)
    for t in set(scores):
        found = accused = 0
        for score, deleted in zip(scores, positive, strict=True):
            found, accused = found + (deleted and score > t), accused + (not deleted and score > t)
        best = max(best, found / above) if accused <= fpr * below else best
    return best


def bench_tpr_at_fpr(compare: Compare) -> None:
    """Find the TPR at an FPR of .001 with its interval."""
    few, (scores, positive, cluster, _) = scored(FEW), scored(ROWS)
    compare(
        "TPR at FPR, rows",
        f"{ROWS:,} rows, FPR .001",
        reference=lambda: plain_tpr(few[0].tolist(), few[1].tolist(), 0.001),
        reference_models=FEW,
        fast=lambda: tpr_at_fpr(scores, positive, 0.001, cluster),
        fast_models=ROWS,
        table=TABLE,
    )


def plain_threshold(scores: list[float], positive: list[bool]) -> float:
    """Return the score above which TPR - FPR is largest, by trying each."""
    above, below = sum(positive), len(positive) - sum(positive)

    def gain(t: float) -> float:
        return sum((1 / above if p else -1 / below) for s, p in zip(scores, positive, strict=True) if s > t)

    return max(set(scores), key=gain)


def bench_best_threshold(compare: Compare) -> None:
    """Find the threshold that TPR - FPR is largest at."""
    few, (scores, positive, *_) = scored(FEW), scored(ROWS)
    compare(
        "best threshold, rows",
        f"{ROWS:,} rows",
        reference=lambda: plain_threshold(few[0].tolist(), few[1].tolist()),
        reference_models=FEW,
        fast=lambda: best_threshold(scores, positive),
        fast_models=ROWS,
        table=TABLE,
    )


def plain_deg(attack: list[float], classical: list[float], positive: list[bool]) -> tuple[float, float]:
    """Return DegCount and DegRate, row by row (Chen et al. 2021)."""
    gains = [(a - c) if p else (c - a) for a, c, p in zip(attack, classical, positive, strict=True)]
    return sum(gain > 0 for gain in gains) / len(gains), sum(gains) / len(gains)


def bench_deg(compare: Compare) -> None:
    """Count and measure gains in confidence; the fast ones with intervals, which the loop has not."""
    rng = np.random.default_rng(0)
    attack, classical, (_, positive, cluster, _) = rng.random(ROWS), rng.random(ROWS), scored(ROWS)

    def fast() -> None:
        sure, surer = (true_confidence(values, positive) for values in (classical, attack))
        deg_count(surer, sure, cluster)
        deg_rate(surer, sure, cluster)

    compare(
        "DegCount and DegRate, rows",
        f"{ROWS:,} rows, {CLUSTERS} clusters",
        reference=lambda: plain_deg(attack.tolist(), classical.tolist(), positive.tolist()),
        reference_models=ROWS,
        fast=fast,
        fast_models=ROWS,
        table=TABLE,
    )


def bench_rank_deg_count(compare: Compare) -> None:
    """Count gains in rank; the loop ranks by counting."""
    rng = np.random.default_rng(0)
    attack, classical, (_, positive, cluster, _) = rng.random(ROWS), rng.random(ROWS), scored(ROWS)
    a, b, p = attack[:FEW].tolist(), classical[:FEW].tolist(), positive[:FEW].tolist()

    def slow() -> list[bool]:
        places = [(sum(y < x for y in a), sum(y < z for y in b)) for x, z in zip(a, b, strict=True)]
        return [new > old if deleted else new < old for (new, old), deleted in zip(places, p, strict=True)]

    compare(
        "DegCount of ranks, rows",
        f"{ROWS:,} rows, {CLUSTERS} clusters",
        reference=slow,
        reference_models=FEW,
        fast=lambda: rank_deg_count(attack, classical, positive, cluster),
        fast_models=ROWS,
        table=TABLE,
    )
