"""Privacy degradation: the gain of an attack on both models over the classical attack on the original model alone.

DegCount and DegRate are defined by Chen et al. (CCS 2021, arXiv 2005.02205, section 3) on the confidence of an attack
in the *true* status of a record: its score for a deleted record, one minus its score for an unseen one. Both depend on
how extreme the probabilities of the two attacks are, so each has a counterpart here that uses ranks only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.auc import structural_components
from unlearnbench.stats.clusters import clusters_of, flags, numbers, one_class
from unlearnbench.stats.means import clustered_mean
from unlearnbench.stats.ranks import midranks
from unlearnbench.stats.variance import (
    class_influence,
    estimate_of_influence,
    halves_variance,
    no_spread,
    t_estimate,
)


def true_confidence(probabilities: ArrayLike, positive: ArrayLike) -> NDArray[np.float64]:
    """Return the confidence (n,) in the true status, from probabilities (n,) of being a positive."""
    vector = numbers(probabilities)
    return np.where(flags(positive, len(vector)), vector, 1 - vector)


def deg_count(attack_confidence: ArrayLike, classical_confidence: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the share of rows (n,) with strictly more confidence in the true status than the classical attack.

    t interval over clusters. Ties count 0; their share is ``details["tie_rate"]``.
    """
    gain = numbers(attack_confidence) - numbers(classical_confidence)
    return clustered_mean((gain > 0).astype(np.float64), cluster, "share", _tie_rate(gain))


def deg_rate(attack_confidence: ArrayLike, classical_confidence: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the mean gain in confidence in the true status over rows (n,), in [-1, 1]. t interval over clusters."""
    return clustered_mean(numbers(attack_confidence) - numbers(classical_confidence), cluster, "gain")


def rank_deg_count(scores: ArrayLike, classical_scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the share of rows with a strictly better rank (higher for positives) than from the classical attack.

    scores, classical_scores, positive, cluster (n,), all of one run. Ties count 0; their share is
    ``details["tie_rate"]``. A row's rank depends on the rows of all clusters, and a count of ranks jumps when a cluster
    is left out. So the variance is that of the difference between halves of the clusters (:func:`halves_variance`),
    ranks being taken anew. t interval, on the effective number of clusters less one.
    """
    vector, classical = numbers(scores), numbers(classical_scores)
    n = len(vector)
    if n == 0:
        return Estimate.undefined("a mean needs rows")
    chosen, clusters = flags(positive, n), clusters_of(cluster, n)
    gain = _rank_gain(vector, classical, chosen)
    value = float((gain > 0).mean())
    details = {**_tie_rate(gain), "clusters": float(clusters.count)}
    if reason := clusters.too_few:
        return Estimate(value, n=n, status="no-interval", reason=reason, scale="share", details=details)

    def share(rows: NDArray[np.bool_]) -> float:
        return float((_rank_gain(vector[rows], classical[rows], chosen[rows]) > 0).mean())

    variance = halves_variance(share, clusters)
    return t_estimate(value, variance, n, "share", details) if variance.value else no_spread(value, n, "share", details)


def rank_deg_rate(scores: ArrayLike, classical_scores: ArrayLike, positive: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the mean gain in mid-rank (for negatives, the mean loss), with ranks scaled to (0, 1).

    scores, classical_scores, positive, cluster (n,), all of one run. With P positives and N negatives it is exactly
    2 P N / n^2 times the gain in AUC, half of it in a balanced game, and its interval is that of the paired clustered
    AUCs (DeLong et al. 1988; Obuchowski 1997): ranks of rows in different clusters depend on each other.
    """
    vector, classical = numbers(scores), numbers(classical_scores)
    n = len(vector)
    chosen = flags(positive, n)
    if one_class(chosen):
        return Estimate.undefined("ranks need positives and negatives", n=n)
    value = float(_rank_gain(vector, classical, chosen).mean()) / n
    gain = structural_components(vector, chosen) - structural_components(classical, chosen)
    weight = 2 * chosen.sum() * (n - chosen.sum()) / n**2
    clusters = clusters_of(cluster, n, positive=chosen)
    return estimate_of_influence(value, weight * class_influence(gain, chosen), clusters, "gain")


def _rank_gain(
    scores: NDArray[np.float64], classical: NDArray[np.float64], positive: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return by how much each row's mid-rank (n,) is better; multiples of one half, so exact."""
    gain = midranks(scores) - midranks(classical)
    return np.where(positive, gain, -gain)


def _tie_rate(gain: NDArray[np.float64]) -> dict[str, float]:
    return {"tie_rate": float((gain == 0).mean())} if gain.size else {}
