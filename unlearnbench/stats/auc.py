"""The AUC of rows that share original models: value, interval and test against chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate, Status
from unlearnbench.stats.clusters import Clusters, clusters_of, flags, numbers, one_class
from unlearnbench.stats.ranks import RankedScores, rank_scores
from unlearnbench.stats.variance import (
    Variance,
    class_influence,
    clustered_variance,
    deletion_variance,
    negligible,
    no_spread,
    shared_records,
    t_estimate,
)

NEARLY_PERFECT = 0.99
"""Above this AUC, or below 1 minus it, there is no interval: one original may cause all of the few exceptions."""


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

    scores, positive, cluster, record (n,). The variance is that of the AUC without each cluster in turn, on the logit
    scale; to first order it is that of Obuchowski (1997: structural components summed per cluster). The interval is
    symmetric on this scale, with t on the effective number of clusters less one, or fewer degrees of freedom where few
    clusters cause most of the variance. A cluster may hold one class only. Undefined without both classes; degenerate
    for a constant or a perfect score and where clusters do not vary; no interval for too few clusters, above .99 or
    below .01, where one cluster may hold all pairs that are out of order.

    Clusters that share negatives are not independent. In simulations in which the effect of a record on its score is as
    large as the noise, 95 % intervals still cover 94-96 % if distinct negatives far outnumber positives (10 or 20
    originals with 20 positives, 1,500 negatives or more), but 80 % if 10 originals share 20 negatives. With ``record``,
    an id per row, they cover 94-97 % in both cases.

    Details: ``se``, ``degrees`` of freedom; ``design_effect``, the variance of Obuchowski divided by that of
    independent rows; ``clusters``; ``macro_auc``, the mean of the AUCs within clusters.
    """
    vector = numbers(scores)
    n, chosen = len(vector), flags(positive, len(vector))
    if one_class(chosen):
        return Estimate.undefined("the AUC needs positives and negatives", n)
    ranked, clusters = rank_scores(vector, chosen), clusters_of(cluster, n, record, chosen)
    if clusters.count == 1:
        return Estimate(ranked.auc, n=n, status="no-interval", reason=clusters.too_few, scale="share")
    placement, value = _placements(ranked, chosen), ranked.auc
    within, tied = _pairs_within(ranked.dense_rank, clusters)
    details = {**_details(placement, within, clusters), "tied_pairs": tied}
    if reason := _no_interval(ranked, clusters):
        status: Status = "degenerate" if len(ranked.positives) == 1 or value in (0, 1) else "no-interval"
        return Estimate(value, n=n, status=status, reason=reason, scale="share", details=details)
    influence = class_influence(placement, chosen)
    without = _without_each(placement, within, clusters)
    if not ((without > 0) & (without < 1)).all():
        reason = "all pairs that are out of order are of one original"
        return Estimate(value, n=n, status="no-interval", reason=reason, scale="share", details=details)
    by_cluster = deletion_variance(_logit(value), np.log(without / (1 - without)), clusters)
    variance = Variance(by_cluster.value * (value * (1 - value)) ** 2, by_cluster.degrees)
    variance += shared_records(influence, clusters)
    if negligible(variance.se, value, influence):
        return no_spread(value, n, "share", details)
    return t_estimate(value, variance, n, "share", details, level)


def auc_above_half(
    scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike, record: ArrayLike | None = None
) -> float:
    """Return the one-sided p-value of an AUC above .5, by the clustered standard error and t.

    Arguments as in ``clustered_auc``. It is 1 where no test is possible: one class missing, too few clusters, a
    constant score. An AUC above .5 whose standard error is 0 has p = 0, so that a perfect score is detected.
    """
    from scipy.special import stdtr

    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    clusters = clusters_of(cluster, len(vector), record, chosen)
    if one_class(chosen) or clusters.too_few:
        return 1.0
    ranked = rank_scores(vector, chosen)
    influence = class_influence(_placements(ranked, chosen), chosen)
    variance = clustered_variance(influence, clusters)
    if negligible(variance.se, ranked.auc, influence):
        return 0.0 if ranked.auc > 0.5 else 1.0
    return float(stdtr(variance.degrees, (0.5 - ranked.auc) / variance.se))


def _no_interval(ranked: RankedScores, clusters: Clusters) -> str:
    if len(ranked.positives) == 1:
        return "constant score"
    if ranked.auc in (0, 1):
        return f"every positive scores {'above' if ranked.auc else 'below'} every negative"
    if not 1 - NEARLY_PERFECT <= ranked.auc <= NEARLY_PERFECT:
        return f"beyond {NEARLY_PERFECT:g} one original may hold all pairs that are out of order"
    return clusters.too_few


def _placements(ranked: RankedScores, positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    below = (np.cumsum(ranked.negatives) - ranked.negatives / 2) / ranked.negatives.sum()
    above = 1 - (np.cumsum(ranked.positives) - ranked.positives / 2) / ranked.positives.sum()
    return np.asarray(np.where(positive, below[ranked.dense_rank], above[ranked.dense_rank]))


def _delong_se(placement: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    above, below = placement[positive], placement[~positive]
    return math.sqrt(above.var(ddof=1) / above.size + below.var(ddof=1) / below.size)


def _details(placement: NDArray[np.float64], wins_within: NDArray[np.float64], clusters: Clusters) -> dict[str, float]:
    """Return the details that are defined; ``t_estimate`` adds ``se`` and ``degrees``."""
    assert clusters.positive is not None  # noqa: S101 for the type checker
    details = {"clusters": float(clusters.count)}
    pairs = clusters.rows.prod(axis=0)
    if pairs.any():
        details["macro_auc"] = float((wins_within[pairs > 0] / pairs[pairs > 0]).mean())
    if not clusters.too_few and (independent := _delong_se(placement, clusters.positive)) > 0:
        influence = class_influence(placement, clusters.positive)
        details["design_effect"] = clustered_variance(influence, clusters).value / independent**2
    return details


def _pairs_within(dense_rank: NDArray[np.int64], clusters: Clusters) -> tuple[NDArray[np.float64], float]:
    """Return how many pairs of each cluster (G,) the positive wins, ties counting one half, and the share of ties."""
    assert clusters.positive is not None  # noqa: S101 for the type checker
    scores = len(dense_rank)
    distinct, group = np.unique(clusters.code * scores + dense_rank, return_inverse=True)
    positives, negatives = (np.bincount(group, weights=rows) for rows in (clusters.positive, ~clusters.positive))
    code = distinct // scores
    earlier = np.concatenate([[0], np.cumsum(clusters.rows[0])[:-1]])  # negatives of the clusters before
    below = np.cumsum(negatives) - negatives / 2 - earlier[code]
    wins = np.bincount(code, weights=positives * below, minlength=clusters.count)
    pairs = max(1, int(clusters.rows.prod(axis=0).sum()))
    return np.asarray(wins, dtype=np.float64), float(positives @ negatives) / pairs


def _without_each(
    placement: NDArray[np.float64], wins_within: NDArray[np.float64], clusters: Clusters
) -> NDArray[np.float64]:
    """Return the AUC without each cluster in turn (G,): exactly, from the pairs that each takes part in.

    The last two terms take back the pairs of two rows of the cluster, which were left out twice.
    """
    assert clusters.positive is not None  # noqa: S101 for the type checker
    n, m = clusters.rows.sum(axis=1)
    wins = placement * np.where(clusters.positive, n, m)
    lost = np.bincount(clusters.code, weights=wins, minlength=clusters.count) - wins_within
    pairs = (n - clusters.rows[0]) * (m - clusters.rows[1])
    return np.asarray((wins[clusters.positive].sum() - lost) / pairs)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
