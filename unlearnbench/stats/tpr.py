"""The TPR at a low FPR."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import clusters_of, flags, numbers
from unlearnbench.stats.means import korn_graubard

NONMEMBERS_PER_FPR = 10
"""Least expected number of false positives; with fewer the realized FPR is too uncertain."""


def tpr_at_fpr(
    scores: ArrayLike, positive: ArrayLike, fpr: float, cluster: ArrayLike, record: ArrayLike | None = None
) -> Estimate:
    """Return the largest TPR of any rule ``score > t`` whose FPR is at most ``fpr``.

    scores, positive, cluster (n,); fpr in (0, 1); record (n,), ids by which a negative that is queried several times
    counts once. Ties are never split. The interval is that of Korn and Graubard for the TPR at this threshold. It does
    not include the uncertainty of the threshold; in simulations it still covers the TPR at the true FPR in 94-99 %.

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
    nonmembers = negatives.size if record is None else len(np.unique(clusters_of(record, n).code[~chosen]))
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
    tpr = korn_graubard(predicted[chosen], np.asarray(cluster)[chosen])
    return replace(tpr, n=n, details={**tpr.details, **details})


def _reason(nonmembers: int, fpr: float) -> str:
    needed = math.ceil(NONMEMBERS_PER_FPR / fpr - 1e-9)
    return f"n/a: needs N- >= 10/fpr = {needed} distinct non-members, has {nonmembers}"


def _threshold(negatives: NDArray[np.float64], fpr: float) -> float:
    """Return the lowest t whose FPR is at most ``fpr``; it is the score of a negative."""
    allowed = math.floor(fpr * negatives.size + 1e-9)  # a product such as .29 * 100 is slightly below 29
    index = negatives.size - 1 - allowed
    return float(np.partition(negatives, index)[index])
