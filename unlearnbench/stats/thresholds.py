"""Advantage and precision at one threshold, which is chosen on shadow scores, never on target scores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import clusters_of, flags, numbers, one_class
from unlearnbench.stats.means import clustered_share, korn_graubard
from unlearnbench.stats.ranks import rank_scores
from unlearnbench.stats.scales import backward
from unlearnbench.stats.variance import class_influence


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

    scores, positive, cluster, record (n,), the last as in ``clustered_auc``. The interval joins those of TPR and FPR by
    ``clustered_share``, given how the two are correlated over clusters (Zou and Donner 2008), and so holds for a low
    FPR too. Details: ``tpr``, ``fpr``, and the ``degrees`` of freedom.
    """
    rates = _rates(scores, positive, threshold, cluster, record, clustered_share)
    if rates is None:
        return Estimate.undefined("the advantage needs positives and negatives", n=len(np.asarray(scores)))
    value, details = rates.tpr - rates.fpr, rates.details
    if rates.tpr == rates.fpr and rates.tpr in (0, 1):
        reason = f"{'every' if rates.tpr else 'no'} score exceeds the threshold"
        return Estimate(value, n=rates.n, status="degenerate", reason=reason, scale="gain", details=details)
    if rates.reason:
        return Estimate(value, n=rates.n, status="no-interval", reason=rates.reason, scale="gain", details=details)
    below = rates.joined(rates.tpr - rates.tpr_ends[0], rates.fpr_ends[1] - rates.fpr)
    above = rates.joined(rates.tpr_ends[1] - rates.tpr, rates.fpr - rates.fpr_ends[0])
    details |= {"degrees": float(rates.degrees)}  # a submission writes it, and reads a float
    return Estimate(value, max(-1.0, value - below), min(1.0, value + above), rates.n, scale="gain", details=details)


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
    among the queried records. On the logit scale the precision is logit(prior) + log TPR - log FPR; the interval joins
    those of TPR and FPR by Korn and Graubard there, as ``advantage`` joins its own: a small rate decides, of which a t
    interval is too narrow. Where only positives or only negatives exceed the threshold it is
    one-sided. Undefined where no score exceeds the threshold. Details: ``tpr``, ``fpr``.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior must lie between 0 and 1, got {prior}")
    rates = _rates(scores, positive, threshold, cluster, record, korn_graubard)
    if rates is None:
        return Estimate.undefined("the precision needs positives and negatives", n=len(np.asarray(scores)))
    n, details = rates.n, rates.details
    if not rates.tpr and not rates.fpr:
        return Estimate(None, n=n, status="undefined", reason="no score exceeds the threshold", details=details)
    value = prior * rates.tpr / (prior * rates.tpr + (1 - prior) * rates.fpr)
    if rates.reason:
        return Estimate(value, n=n, status="no-interval", reason=rates.reason, scale="share", details=details)
    at_prior = math.log(prior / (1 - prior))
    low, high = (backward(at_prior + end, "share") for end in rates.log_ratio_ends())
    return Estimate(value, low, high, n, scale="share", details=details)


@dataclass(frozen=True)
class _Rates:
    """TPR and FPR at one threshold."""

    n: int
    """Number of rows."""
    tpr: float
    fpr: float
    tpr_ends: tuple[float, float] = (0.0, 1.0)
    """The interval of the TPR."""
    fpr_ends: tuple[float, float] = (0.0, 1.0)
    """The interval of the FPR."""
    correlation: float = 0.0
    """Of the errors of TPR and FPR, at least 0."""
    degrees: float = math.inf
    """Of freedom: the smaller of those of both intervals."""
    reason: str = ""
    """Why there are no intervals; empty where there are."""

    @property
    def details(self) -> dict[str, float]:
        return {"tpr": self.tpr, "fpr": self.fpr}

    def joined(self, of_tpr: float, of_fpr: float) -> float:
        """Return the distance from a difference to an end of its interval, from those of its two parts."""
        return math.sqrt(max(0.0, of_tpr**2 + of_fpr**2 - 2 * self.correlation * of_tpr * of_fpr))

    def log_ratio_ends(self) -> tuple[float, float]:
        """Return the interval of log(TPR / FPR), one of which may be 0."""
        tpr, fpr = (_log(x) for x in (self.tpr, self.fpr))
        (tpr_low, tpr_high), (fpr_low, fpr_high) = (
            (_log(low), _log(high)) for low, high in (self.tpr_ends, self.fpr_ends)
        )
        if not self.fpr:
            return tpr_low - fpr_high, math.inf
        if not self.tpr:
            return -math.inf, tpr_high - fpr_low
        ratio = tpr - fpr
        return ratio - self.joined(tpr - tpr_low, fpr_high - fpr), ratio + self.joined(tpr_high - tpr, fpr - fpr_low)


def _rates(
    scores: ArrayLike,
    positive: ArrayLike,
    threshold: float,
    cluster: ArrayLike,
    record: ArrayLike | None,
    share: Callable[[ArrayLike, ArrayLike, ArrayLike | None], Estimate],
) -> _Rates | None:
    """Return TPR and FPR of the rule ``score > threshold`` with their intervals; None where one class is missing.

    ``share`` estimates a share of rows, given which rows count, their clusters and their records.
    """
    vector = numbers(scores)
    n = len(vector)
    chosen = flags(positive, n)
    if one_class(chosen):
        return None
    clusters, predicted = clusters_of(cluster, n, record, chosen), vector > threshold
    code, records = clusters.code, clusters.record
    tpr, fpr = (
        share(predicted[rows], code[rows], None if records is None else records[rows]) for rows in (chosen, ~chosen)
    )
    value = float(predicted[chosen].mean()), float(predicted[~chosen].mean())
    if tpr.low is None or tpr.high is None or fpr.low is None or fpr.high is None:
        return _Rates(n, *value, reason=tpr.reason or fpr.reason)
    influence = class_influence(predicted.astype(np.float64), chosen)
    of_tpr, of_fpr = (np.bincount(clusters.code[rows], influence[rows], clusters.count) for rows in (chosen, ~chosen))
    correlation = _correlation(np.asarray(of_tpr), np.asarray(of_fpr))
    degrees = min(tpr.details["degrees"], fpr.details["degrees"])
    return _Rates(n, *value, (tpr.low, tpr.high), (fpr.low, fpr.high), correlation, degrees)


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return the correlation of two vectors around 0, at least 0: a negative one would be chance."""
    length = math.sqrt(float(x @ x) * float(y @ y))
    return max(0.0, float(x @ y) / length) if length else 0.0


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf


def _above(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of rows above each distinct score."""
    return np.asarray(count.sum() - np.cumsum(count))


def _between(low: float, high: float) -> float:
    """Return the midpoint, or ``low`` where there is no float between: ``high`` must exceed the threshold."""
    middle = low / 2 + high / 2
    return middle if low <= middle < high else low
