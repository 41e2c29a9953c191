"""Advantage and precision at one threshold, which is chosen on shadow scores, never on target scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import (
    class_influence,
    clusters_of,
    flags,
    in_each_class,
    numbers,
    on_logit_scale,
    one_class,
    t_estimate,
    within,
)
from unlearnbench.stats.ranks import rank_scores


def best_threshold(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the t that maximizes TPR - FPR of the rule ``score > t``; scores, positive (n,).

    It lies halfway between two distinct scores, so that rounding of scores does not change the rule. Of equally good
    thresholds it is the highest, which has the fewest false positives; the largest score where no threshold beats 0.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("a threshold needs positives and negatives")
    _, positives, negatives = rank_scores(vector, chosen)
    # TPR - FPR just above each distinct score, times both class sizes: integers, so that ties are exact.
    gain = negatives.sum() * _above(positives) - positives.sum() * _above(negatives)
    best = len(gain) - 1 - int(np.argmax(gain[::-1]))
    distinct = np.unique(vector)
    return _between(float(distinct[best]), float(distinct[min(best + 1, len(gain) - 1)]))


def advantage(
    scores: ArrayLike, positive: ArrayLike, threshold: float, cluster: ArrayLike, record: ArrayLike | None = None
) -> Estimate:
    """Return TPR - FPR of the rule ``score > threshold``, for a threshold that was not chosen on these rows.

    scores, positive, cluster, record (n,), the last as in ``clustered_auc``. t interval over clusters, clipped to
    [-1, 1]. Simulated coverage is 93-96 %, but 89-93 % where the FPR is below 2 % and originals differ much. Details:
    ``tpr``, ``fpr``.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        return Estimate.undefined("the advantage needs positives and negatives", n=len(vector))
    predicted, tpr, fpr = _rates(vector, chosen, threshold)
    clusters = clusters_of(cluster, len(vector), record)
    influence = class_influence(predicted, chosen) * np.where(chosen, 1, -1)
    count = in_each_class(chosen, clusters)
    return t_estimate(tpr - fpr, influence, clusters, count, {"tpr": tpr, "fpr": fpr}, within(-1, 1))


def precision_at_prior(
    scores: ArrayLike,
    positive: ArrayLike,
    threshold: float,
    prior: float,
    cluster: ArrayLike,
    record: ArrayLike | None = None,
) -> Estimate:
    """Return the precision prior TPR / (prior TPR + (1 - prior) FPR) of the rule ``score > threshold``.

    scores, positive, cluster, record (n,), the last as in ``clustered_auc``; prior in (0, 1), the share of positives
    among the queried records. On the logit scale the precision is logit(prior) + log TPR - log FPR, and the interval is
    that of the clustered delta method on that scale, with t(G - 1); its coverage is that of ``advantage``. Undefined
    where no score exceeds the threshold; degenerate where only positives or only negatives do. Details: ``tpr``,
    ``fpr``.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie between 0 and 1, got {prior}")
    vector = numbers(scores)
    n = len(vector)
    chosen = flags(positive, n)
    if one_class(chosen):
        return Estimate.undefined("the precision needs positives and negatives", n=n)
    predicted, tpr, fpr = _rates(vector, chosen, threshold)
    details = {"tpr": tpr, "fpr": fpr}
    if not predicted.any():
        return Estimate(None, n=n, status="undefined", reason="no score exceeds the threshold", details=details)
    value = prior * tpr / (prior * tpr + (1 - prior) * fpr)
    if not tpr or not fpr:
        only = "positives" if tpr else "negatives"
        return Estimate(value, n=n, status="degenerate", reason=f"only {only} exceed the threshold", details=details)
    clusters = clusters_of(cluster, n, record)
    on_logit = class_influence(predicted, chosen) * np.where(chosen, 1 / tpr, -1 / fpr)
    influence = on_logit * value * (1 - value)
    return t_estimate(value, influence, clusters, in_each_class(chosen, clusters), details, on_logit_scale)


def _rates(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float
) -> tuple[NDArray[np.float64], float, float]:
    """Return the predictions (n,), as 0 and 1, with TPR and FPR."""
    predicted = (scores > threshold).astype(np.float64)
    return predicted, float(predicted[positive].mean()), float(predicted[~positive].mean())


def _above(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of rows above each distinct score."""
    return np.asarray(count.sum() - np.cumsum(count))


def _between(low: float, high: float) -> float:
    """Return the midpoint, or ``low`` where there is no float between: ``high`` must exceed the threshold."""
    middle = low / 2 + high / 2
    return middle if low <= middle < high else low
