"""The TPR at a low FPR."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import codes_of, flags, numbers
from unlearnbench.stats.means import korn_graubard

NONMEMBERS_PER_FPR = 10
"""Least expected number of false positives; with fewer the realized FPR is too uncertain."""


def tpr_at_fpr(
    scores: ArrayLike, positive: ArrayLike, fpr: float, cluster: ArrayLike, record: ArrayLike | None = None
) -> Estimate:
    """Return the largest TPR of any rule ``score > t`` whose FPR is at most ``fpr``.

    scores, positive, cluster (n,); fpr in (0, 1); record (n,), ids by which a negative that is queried several times
    counts once. Ties are never split. The interval joins that of Korn and Graubard for the TPR at this threshold and
    the TPRs at the thresholds whose FPR is ``fpr`` if that of this one is an end of its own interval (Zou and Donner
    2008). In simulations it covers the TPR at the true FPR in 95-100 %.

    Undefined with fewer than 10 / fpr distinct negatives, and, with the reason "n/a (ties)", where ties keep the
    realized FPR below half of ``fpr`` and the TPR below 1. Details: ``realized_fpr``, ``distinct_scores``,
    ``nonmembers`` and those of the interval.
    """
    if not 0 < fpr < 1:
        raise ValueError(f"fpr must lie between 0 and 1, got {fpr}")
    vector = numbers(scores)
    n = len(vector)
    chosen = flags(positive, n)
    negatives = vector[~chosen]
    unseen = None if record is None else np.asarray(record)[~chosen]
    nonmembers = negatives.size if unseen is None else codes_of(unseen, negatives.size)[1]
    if not chosen.any() or nonmembers < NONMEMBERS_PER_FPR / fpr:
        return Estimate.undefined(_reason(nonmembers, fpr) if chosen.any() else "n/a: no positives", n)
    predicted = vector > _threshold(negatives, fpr)
    realized = float(predicted[~chosen].mean())
    details = {
        "realized_fpr": realized,
        "distinct_scores": float(len(np.unique(vector))),
        "nonmembers": float(nonmembers),
    }
    if realized < fpr / 2 and not predicted[chosen].all():
        return Estimate(None, n=n, status="undefined", reason="n/a (ties)", details=details)
    tpr = replace(korn_graubard(predicted[chosen], np.asarray(cluster)[chosen]), n=n)
    false = korn_graubard(predicted[~chosen], np.asarray(cluster)[~chosen], unseen)
    return replace(_joined(tpr, false, vector[chosen], negatives), details={**tpr.details, **details})


def _joined(tpr: Estimate, fpr: Estimate, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> Estimate:
    """Return the TPR with the uncertainty of its threshold, of which the interval of the realized FPR tells."""
    if tpr.value is None or tpr.low is None or tpr.high is None or not fpr.value:
        return tpr
    if fpr.low is None or fpr.high is None:
        return tpr.without_interval(fpr.reason)
    fewer, more = (float((positives > _threshold(negatives, fpr.value**2 / end)).mean()) for end in (fpr.high, fpr.low))
    below, above = (
        math.hypot(tpr.value - tpr.low, tpr.value - fewer),
        math.hypot(tpr.high - tpr.value, more - tpr.value),
    )
    return replace(tpr, low=max(0.0, tpr.value - below), high=min(1.0, tpr.value + above))


def _reason(nonmembers: int, fpr: float) -> str:
    needed = math.ceil(NONMEMBERS_PER_FPR / fpr - 1e-9)
    return f"n/a: needs N- >= 10/fpr = {needed} distinct non-members, has {nonmembers}"


def _threshold(negatives: NDArray[np.float64], fpr: float) -> float:
    """Return the lowest t whose FPR is at most ``fpr``; it is the score of a negative."""
    allowed = math.floor(fpr * negatives.size + 1e-9)  # a product such as .29 * 100 is slightly below 29
    index = max(0, negatives.size - 1 - allowed)
    return float(np.partition(negatives, index)[index])
