"""What an attack is worth at one threshold, fixed beforehand: on shadow scores, never on the target's."""

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
from unlearnbench.stats.ranks import ladder


def best_threshold(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the t that maximizes TPR - FPR of the rule ``score > t``; scores, positive (n,).

    It lies halfway between two distinct scores, so that it carries over to scores that differ by rounding. Of equally
    good ones the highest, which accuses the fewest; the largest score where accusing nobody is best.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        raise ValueError("a threshold needs positives and negatives")
    _, positives, negatives = ladder(vector, chosen)
    # TPR - FPR just above each distinct score, times both class sizes: whole numbers, so that equals are equal.
    gain = negatives.sum() * _above(positives) - positives.sum() * _above(negatives)
    best = len(gain) - 1 - int(np.argmax(gain[::-1]))
    distinct = np.unique(vector)
    return _between(float(distinct[best]), float(distinct[min(best + 1, len(gain) - 1)]))


def advantage(
    scores: ArrayLike, positive: ArrayLike, threshold: float, cluster: ArrayLike, record: ArrayLike | None = None
) -> Estimate:
    """Return TPR - FPR of the rule ``score > threshold``, a threshold that these rows had no part in.

    scores, positive, cluster, record (n,), the last as in ``clustered_auc``. Interval by t over clusters, cut to
    [-1, 1]: simulated, it covers 93-96 %, but 89-93 % where fewer than one negative in fifty is accused and originals
    differ much. Details: ``tpr``, ``fpr``.
    """
    vector = numbers(scores)
    chosen = flags(positive, len(vector))
    if one_class(chosen):
        return Estimate.undefined("the advantage needs positives and negatives", n=len(vector))
    hits, tpr, fpr = _rates(vector, chosen, threshold)
    clusters = clusters_of(cluster, len(vector), record)
    influence = class_influence(hits, chosen) * np.where(chosen, 1, -1)
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
    """Return the share of rightly accused, prior TPR / (prior TPR + (1 - prior) FPR), by ``score > threshold``.

    scores, positive, cluster, record (n,), the last as in ``clustered_auc``; prior in (0, 1), the share of positives
    among those asked about. On the logit scale the precision is logit(prior) + log TPR - log FPR, and the interval is
    that of the clustered delta method there, with t(G - 1); it covers as that of ``advantage`` does. Undefined where
    nobody is accused; degenerate where only positives or only negatives are. Details: ``tpr``, ``fpr``.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie between 0 and 1, got {prior}")
    vector = numbers(scores)
    n = len(vector)
    chosen = flags(positive, n)
    if one_class(chosen):
        return Estimate.undefined("the precision needs positives and negatives", n=n)
    hits, tpr, fpr = _rates(vector, chosen, threshold)
    details = {"tpr": tpr, "fpr": fpr}
    if not hits.any():
        return Estimate(None, n=n, status="undefined", reason="no score exceeds the threshold", details=details)
    value = prior * tpr / (prior * tpr + (1 - prior) * fpr)
    if not tpr or not fpr:
        only = "positives" if tpr else "negatives"
        return Estimate(value, n=n, status="degenerate", reason=f"only {only} exceed the threshold", details=details)
    clusters = clusters_of(cluster, n, record)
    on_logit = class_influence(hits, chosen) * np.where(chosen, 1 / tpr, -1 / fpr)
    influence = on_logit * value * (1 - value)
    return t_estimate(value, influence, clusters, in_each_class(chosen, clusters), details, on_logit_scale)


def _rates(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], threshold: float
) -> tuple[NDArray[np.float64], float, float]:
    """Return who is accused (n,), as 0 and 1, and the shares of positives and of negatives that are."""
    hits = (scores > threshold).astype(np.float64)
    return hits, float(hits[positive].mean()), float(hits[~positive].mean())


def _above(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many stand above each place."""
    return np.asarray(count.sum() - np.cumsum(count))


def _between(low: float, high: float) -> float:
    """Return the middle, or ``low`` where rounding leaves nothing between: ``high`` must stay above."""
    middle = low / 2 + high / 2
    return middle if low <= middle < high else low
