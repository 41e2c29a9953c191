"""The AUC of rows that share original models: value, interval and test against chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import (
    MIN_CLUSTERS,
    Clusters,
    class_influence,
    clustered_se,
    clusters_of,
    flags,
    in_each_class,
    negligible,
    numbers,
    on_logit_scale,
    one_class,
    t_estimate,
)
from unlearnbench.stats.ranks import Ladder, ladder, midranks


def structural_components(scores: ArrayLike, positive: ArrayLike) -> NDArray[np.float64]:
    """Return each row's placement (n,) among the other class (DeLong et al. 1988), ties counting one half.

    For a positive the share of negatives below it, for a negative the share of positives above it; the mean over
    either class is the AUC. One class missing is a ValueError.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("placements need positives and negatives")
    return _placements(ladder(vector, chosen), chosen)


def delong_se(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the standard error of the AUC of independent rows (DeLong et al. 1988), two or more of each class."""
    placement = structural_components(scores, positive)
    return _delong_se(placement, flags(positive, len(placement)))


def clustered_auc(
    scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike, level: float = 0.95, record: ArrayLike | None = None
) -> Estimate:
    """Return the pooled rank AUC with an interval that holds when rows share original models.

    scores, positive, cluster, record (n,). Variance by Obuchowski (1997: structural components summed per cluster),
    interval on the logit scale with t(G - 1), where G is the number of clusters. A cluster may hold one class only;
    G is then the number of clusters of the rarer class. Undefined without both classes, degenerate for a constant
    score, a perfect one and one without spread; no interval below 5 clusters.

    Where clusters share negatives, they are not independent. In simulations in which a record's own part in its score
    is as large as the noise, 95 % intervals still cover 94-96 % while distinct negatives far outnumber positives (10 or
    20 originals of 20 positives, 1,500 negatives or more), but 80 % when 10 originals share 20 negatives. Pass
    ``record``, an id a row, and they cover 95-97 % in both cases (98 % with 5 originals).

    Details: ``se``; ``design_effect``, the variance over that of independent rows; ``clusters``; ``macro_auc``, the
    mean of the AUCs within clusters.
    """
    vector = numbers(scores)
    n, chosen = len(vector), flags(positive, len(vector))
    if one_class(chosen):
        return Estimate.undefined("the AUC needs positives and negatives", n)
    rungs, clusters = ladder(vector, chosen), clusters_of(cluster, n, record)
    placement = _placements(rungs, chosen)
    count, influence = in_each_class(chosen, clusters), class_influence(placement, chosen)
    details = _details(rungs, placement, chosen, clusters, count)
    if len(rungs.positives) == 1:
        return Estimate(0.5, n=n, status="degenerate", reason="constant score", details=details)
    if rungs.auc in (0, 1):
        reason = f"every positive scores {'above' if rungs.auc else 'below'} every negative"
        return Estimate(rungs.auc, n=n, status="degenerate", reason=reason, details=details)
    return t_estimate(rungs.auc, influence, clusters, count, details, on_logit_scale, level)


def auc_above_half(
    scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike, record: ArrayLike | None = None
) -> float:
    """Return the one-sided p-value of an AUC above .5, by the clustered standard error and t(G - 1).

    Arguments as in ``clustered_auc``. It is 1 where nothing can be said: one class missing, fewer than 5 clusters, a
    constant score. A score above .5 without any spread has p 0, so that a perfect giveaway is not passed over.
    """
    from scipy.special import stdtr

    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    clusters = clusters_of(cluster, len(vector), record)
    if one_class(chosen) or (count := in_each_class(chosen, clusters)) < MIN_CLUSTERS:
        return 1.0
    rungs = ladder(vector, chosen)
    influence = class_influence(_placements(rungs, chosen), chosen)
    se = clustered_se(influence, clusters, count)
    if negligible(se, rungs.auc, influence):
        return 0.0 if rungs.auc > 0.5 else 1.0
    return float(stdtr(count - 1, (0.5 - rungs.auc) / se))


def _placements(rungs: Ladder, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    below = (np.cumsum(rungs.negatives) - rungs.negatives / 2) / rungs.negatives.sum()
    above = 1 - (np.cumsum(rungs.positives) - rungs.positives / 2) / rungs.positives.sum()
    return np.asarray(np.where(positive, below[rungs.place], above[rungs.place]))


def _delong_se(placement: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    above, below = placement[positive], placement[~positive]
    return math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)


def _details(
    rungs: Ladder,
    placement: NDArray[np.float64],
    positive: NDArray[np.bool_],
    clusters: Clusters,
    count: int,
) -> dict[str, float]:
    """Return what is defined of the details; the number of clusters and the error join where there is an interval."""
    details = {}
    within = _aucs_within(rungs.place, positive, clusters)
    if within.size:
        details["macro_auc"] = float(within.mean())
    if count > 1 and (independent := _delong_se(placement, positive)) > 0:
        clustered = clustered_se(class_influence(placement, positive), clusters, count)
        details["design_effect"] = (clustered / independent) ** 2
    return details


def _aucs_within(place: NDArray[np.int64], positive: NDArray[np.bool_], clusters: Clusters) -> NDArray[np.float64]:
    """Return the AUC of each cluster that holds both classes, from its rank sum (Mann and Whitney)."""
    rows = np.bincount(clusters.code)
    m = np.bincount(clusters.code[positive], minlength=clusters.count)
    rank = midranks(clusters.code * len(place) + place) - (np.cumsum(rows) - rows)[clusters.code]
    rank_sum = np.bincount(clusters.code[positive], weights=rank[positive], minlength=clusters.count)
    both = (m > 0) & (m < rows)
    return np.asarray((rank_sum - m * (m + 1) / 2)[both] / (m * (rows - m))[both])
