"""The share of positives found while few negatives are accused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import clusters_of, flags, numbers
from unlearnbench.stats.proportions import korn_graubard

NONMEMBERS_PER_FPR = 10
"""So many negatives must be expected above the threshold, else the realized FPR is anyone's guess."""


def tpr_at_fpr(
    scores: ArrayLike, positive: ArrayLike, fpr: float, cluster: ArrayLike, record: ArrayLike | None = None
) -> Estimate:
    """Return the largest TPR of any rule ``score > t`` that accuses at most the share ``fpr`` of the negatives.

    scores, positive, cluster (n,); fpr in (0, 1); record (n,), ids by which negatives asked for more than once count
    once. Ties are never split. The interval is Korn and Graubard's for the TPR at the threshold found. That the
    threshold is estimated too is not in it; simulated, it is wide enough all the same to cover the TPR at the true FPR
    in 94-99 %.

    Undefined with fewer than 10 / fpr distinct negatives, and, "n/a (ties)", where ties hold the realized FPR under
    half of ``fpr`` and positives are still to be found. Details: ``realized_fpr``, ``distinct_scores``, ``nonmembers``
    and those of the interval.
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
    hits = vector > _threshold(negatives, fpr)
    realized = float(hits[~chosen].mean())
    details = {
        "realized_fpr": realized,
        "distinct_scores": float(len(np.unique(vector))),
        "nonmembers": float(nonmembers),
    }
    if realized < fpr / 2 and not hits[chosen].all():
        return Estimate(None, n=n, status="undefined", reason="n/a (ties)", details=details)
    found = korn_graubard(hits[chosen], np.asarray(cluster)[chosen])
    return replace(found, n=n, details={**found.details, **details})


def _reason(nonmembers: int, fpr: float) -> str:
    needed = math.ceil(NONMEMBERS_PER_FPR / fpr - 1e-9)
    return f"n/a: needs N- >= 10/fpr = {needed} distinct non-members, has {nonmembers}"


def _threshold(negatives: NDArray[np.float64], fpr: float) -> float:
    """Return the lowest t that at most a share ``fpr`` of the negatives exceed: itself a negative's score."""
    allowed = math.floor(fpr * negatives.size + 1e-9)  # a product such as .29 * 100 falls just short of its count
    place = negatives.size - 1 - allowed
    return float(np.partition(negatives, place)[place])
