"""Means and proportions with intervals: over seeds, and over rows that share original models."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import (
    MIN_CLUSTERS,
    clustered_se,
    clusters_of,
    flags,
    negligible,
    numbers,
    t_estimate,
    t_quantile,
    too_few,
    within,
)


def t_interval(values: ArrayLike) -> Estimate:
    """Return the mean of independent values (k,), such as one per seed, with a 95 % t interval.

    Undefined without values, no interval for one value, degenerate where all values are equal.
    """
    vector = numbers(values)
    k = len(vector)
    if k == 0:
        return Estimate.undefined("a mean needs values")
    mean = float(vector.mean())
    if k == 1:
        return Estimate(mean, n=1, status="no-interval", reason="an interval needs more than one value")
    se = float(vector.std(ddof=1)) / k**0.5
    if negligible(se, mean, vector):
        return Estimate(mean, n=k, status="degenerate", reason="all values are equal", details={"se": se})
    half = t_quantile(k - 1) * se
    return Estimate(mean, mean - half, mean + half, k, details={"se": se})


def clustered_mean(
    values: ArrayLike,
    cluster: ArrayLike,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    details: Mapping[str, float] | None = None,
) -> Estimate:
    """Return the mean over rows, values (n,), with a t(G - 1) interval over the G clusters, cluster (n,).

    With clusters of equal size this is the t interval of their means, else that of the linearized ratio of sums. The
    interval is clipped to ``bounds``, the range of possible means. Undefined without rows, no interval below 5
    clusters, degenerate where the clusters do not vary.
    """
    vector = numbers(values)
    n = len(vector)
    if n == 0:
        return Estimate.undefined("a mean needs rows")
    mean = float(vector.mean())
    influence = np.asarray((vector - mean) / n)
    return t_estimate(mean, influence, clusters_of(cluster, n), details=details, interval=within(*bounds))


def korn_graubard(indicator: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the share of true rows, indicator (n,), with the interval of Korn and Graubard (1998).

    It is the interval of Clopper and Pearson with the effective number of rows n / deff * (t_{n-1} / t_{K-1})^2, at
    most n, for K clusters (cluster (n,)) and design effect deff. Shares of 0 and 1 have no variance between clusters;
    their deff is set to 1. Simulated coverage of the 95 % interval is 93-99 %, higher with fewer clusters. Undefined
    without rows, no interval below 5 clusters.
    """
    chosen = np.asarray(indicator)
    n = chosen.size
    if n == 0:
        return Estimate.undefined("a proportion needs rows")
    values = flags(chosen, n).astype(np.float64)
    share, clusters = float(values.mean()), clusters_of(cluster, n)
    if clusters.count < MIN_CLUSTERS:
        return Estimate(share, n=n, status="no-interval", reason=too_few(clusters.count))
    independent = share * (1 - share) / n
    deff = clustered_se((values - share) / n, clusters) ** 2 / independent if independent else 1.0
    few = (t_quantile(n - 1) / t_quantile(clusters.count - 1)) ** 2
    rows = n * few / max(deff, few)
    low, high = clopper_pearson(share * rows, rows)
    return Estimate(share, low, high, n, details={"clusters": clusters.count, "design_effect": deff})


def clopper_pearson(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval; successes and trials need not be integers."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return low, high
