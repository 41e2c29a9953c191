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
from unlearnbench.stats.ranks import RankedScores, midranks, rank_scores


def structural_components(scores: ArrayLike, positive: ArrayLike) -> NDArray[np.float64]:
    """Return each row's placement (n,) among the other class (DeLong et al. 1988), ties counting one half.

    For a positive the share of negatives below it, for a negative the share of positives above it; the mean over
    either class is the AUC. One class missing is a ValueError.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("placements need positives and negatives")
    return _placements(rank_scores(vector, chosen), chosen)


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
    G is then the number of clusters of the rarer class. Undefined without both classes; degenerate for a constant or a
    perfect score and where clusters do not vary; no interval below 5 clusters.

    Clusters that share negatives are not independent. In simulations in which the effect of a record on its score is as
    large as the noise, 95 % intervals still cover 94-96 % if distinct negatives far outnumber positives (10 or 20
    originals with 20 positives, 1,500 negatives or more), but 80 % if 10 originals share 20 negatives. With ``record``,
    an id per row, they cover 95-97 % in both cases (98 % with 5 originals).

    Details: ``se``; ``design_effect``, the variance divided by that of independent rows; ``clusters``; ``macro_auc``,
    the mean of the AUCs within clusters.
    """
    vector = numbers(scores)
    n, chosen = len(vector), flags(positive, len(vector))
    if one_class(chosen):
        return Estimate.undefined("the AUC needs positives and negatives", n)
    ranked, clusters = rank_scores(vector, chosen), clusters_of(cluster, n, record)
    placement = _placements(ranked, chosen)
    count, influence = in_each_class(chosen, clusters), class_influence(placement, chosen)
    details = _details(ranked, placement, chosen, clusters, count)
    if len(ranked.positives) == 1:
        return Estimate(0.5, n=n, status="degenerate", reason="constant score", details=details)
    if ranked.auc in (0, 1):
        reason = f"every positive scores {'above' if ranked.auc else 'below'} every negative"
        return Estimate(ranked.auc, n=n, status="degenerate", reason=reason, details=details)
    return t_estimate(ranked.auc, influence, clusters, count, details, on_logit_scale, level)


def auc_above_half(
    scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike, record: ArrayLike | None = None
) -> float:
    """Return the one-sided p-value of an AUC above .5, by the clustered standard error and t(G - 1).

    Arguments as in ``clustered_auc``. It is 1 where no test is possible: one class missing, fewer than 5 clusters, a
    constant score. An AUC above .5 whose standard error is 0 has p = 0, so that a perfect score is detected.
    """
    from scipy.special import stdtr

    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    clusters = clusters_of(cluster, len(vector), record)
    if one_class(chosen) or (count := in_each_class(chosen, clusters)) < MIN_CLUSTERS:
        return 1.0
    ranked = rank_scores(vector, chosen)
    influence = class_influence(_placements(ranked, chosen), chosen)
    se = clustered_se(influence, clusters, count)
    if negligible(se, ranked.auc, influence):
        return 0.0 if ranked.auc > 0.5 else 1.0
    return float(stdtr(count - 1, (0.5 - ranked.auc) / se))


def _placements(ranked: RankedScores, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    below = (np.cumsum(ranked.negatives) - ranked.negatives / 2) / ranked.negatives.sum()
    above = 1 - (np.cumsum(ranked.positives) - ranked.positives / 2) / ranked.positives.sum()
    return np.asarray(np.where(positive, below[ranked.dense_rank], above[ranked.dense_rank]))


def _delong_se(placement: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    above, below = placement[positive], placement[~positive]
    return math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)


def _details(
    ranked: RankedScores,
    placement: NDArray[np.float64],
    positive: NDArray[np.bool_],
    clusters: Clusters,
    count: int,
) -> dict[str, float]:
    """Return the details that are defined; ``t_estimate`` adds ``clusters`` and ``se``."""
    details = {}
    within = _aucs_within(ranked.dense_rank, positive, clusters)
    if within.size:
        details["macro_auc"] = float(within.mean())
    if count > 1 and (independent := _delong_se(placement, positive)) > 0:
        clustered = clustered_se(class_influence(placement, positive), clusters, count)
        details["design_effect"] = (clustered / independent) ** 2
    return details


def _aucs_within(dense_rank: NDArray[np.int64], positive: NDArray[np.bool_], clusters: Clusters) -> NDArray[np.float64]:
    """Return the AUC of each cluster that holds both classes, from its rank sum (Mann and Whitney)."""
    rows = np.bincount(clusters.code)
    m = np.bincount(clusters.code[positive], minlength=clusters.count)
    rank = midranks(clusters.code * len(dense_rank) + dense_rank) - (np.cumsum(rows) - rows)[clusters.code]
    rank_sum = np.bincount(clusters.code[positive], weights=rank[positive], minlength=clusters.count)
    both = (m > 0) & (m < rows)
    return np.asarray((rank_sum - m * (m + 1) / 2)[both] / (m * (rows - m))[both])
