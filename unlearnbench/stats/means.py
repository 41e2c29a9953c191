"""Means with t intervals: over seeds, and over rows that share original models."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import clusters_of, negligible, numbers, t_estimate, t_quantile, within


def t_interval(values: ArrayLike) -> Estimate:
    """Return the mean of independent values (k,), such as one a seed, with a t interval.

    Undefined for none, without interval for one, degenerate where all are equal.
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

    With clusters of one size this is the t interval of their means; else the linearized ratio of sums, which stays
    around the mean over rows. The interval is cut to ``bounds``, the least and the most that a mean can be. Undefined
    without rows, no interval below 5 clusters, degenerate without spread.
    """
    vector = numbers(values)
    n = len(vector)
    if n == 0:
        return Estimate.undefined("a mean needs rows")
    mean = float(vector.mean())
    influence = np.asarray((vector - mean) / n)
    return t_estimate(mean, influence, clusters_of(cluster, n), details=details, interval=within(*bounds))
