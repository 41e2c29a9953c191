"""Means and proportions with intervals: over seeds, and over rows that share original models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.stats.clusters import clusters_of, flags, numbers
from unlearnbench.stats.variance import (
    Variance,
    clustered_variance,
    estimate_of_influence,
    negligible,
    t_estimate,
    t_quantile,
)


def t_interval(values: ArrayLike, scale: Scale = "real") -> Estimate:
    """Return the mean of independent values (k,), such as one per seed, with a 95 % t interval.

    It is symmetric on ``scale``, so that it holds no value that the mean cannot have. Undefined without values, no
    interval for one value, degenerate where all values are equal.
    """
    vector = numbers(values)
    k = len(vector)
    if k == 0:
        return Estimate.undefined("a mean needs values")
    mean = float(vector.mean())
    if k == 1:
        return Estimate(mean, n=1, status="no-interval", reason="an interval needs more than one value", scale=scale)
    se = float(vector.std(ddof=1)) / k**0.5
    if negligible(se, mean, vector):
        reason = "all values are equal"
        return Estimate(mean, n=k, status="degenerate", reason=reason, scale=scale, details={"se": se})
    return t_estimate(mean, Variance(se**2, k - 1), k, scale)


def clustered_mean(
    values: ArrayLike, cluster: ArrayLike, scale: Scale = "real", details: Mapping[str, float] | None = None
) -> Estimate:
    """Return the mean over rows, values (n,), with a t interval over clusters, cluster (n,).

    With G clusters of equal size on the scale ``real`` this is the t interval of their means, t(G - 1); else that of
    the linearized ratio of sums, with effective degrees of freedom. ``scale`` says which means are possible. Undefined
    without rows, no interval for too few clusters, degenerate where the clusters do not vary.
    """
    vector = numbers(values)
    n = len(vector)
    if n == 0:
        return Estimate.undefined("a mean needs rows")
    mean = float(vector.mean())
    influence = np.asarray((vector - mean) / n)
    return estimate_of_influence(mean, influence, clusters_of(cluster, n), scale, details)


def clustered_share(indicator: ArrayLike, cluster: ArrayLike, record: ArrayLike | None = None) -> Estimate:
    """Return the share of true rows, indicator (n,), with a t interval over clusters (n,) on the logit scale.

    The variance includes that of records (n,) which several clusters query. Where clusters do not vary, as for a share
    of 0 or 1, the interval is that of :func:`korn_graubard`. Undefined without rows, no interval for too few clusters.
    """
    n = np.asarray(indicator).size
    if n == 0:
        return Estimate.undefined("a proportion needs rows")
    values = flags(indicator, n).astype(np.float64)
    share = float(values.mean())
    estimate = estimate_of_influence(share, (values - share) / n, clusters_of(cluster, n, record), "share")
    return korn_graubard(indicator, cluster, record) if estimate.status == "degenerate" else estimate


def korn_graubard(indicator: ArrayLike, cluster: ArrayLike, record: ArrayLike | None = None) -> Estimate:
    """Return the share of true rows, indicator (n,), with the interval of Korn and Graubard (1998).

    It is the interval of Clopper and Pearson with the effective number of rows n / deff * (t_{n-1} / t_{K-1})^2, at
    most n, for the effective number K of clusters (cluster (n,)) and design effect deff, which includes that of
    records (n,) which several clusters query. Shares of 0 and 1 have no variance between clusters; their deff is set
    to 1. Simulated coverage of the 95 % interval is 93-99 %, higher with fewer clusters. Undefined without rows, no
    interval for too few clusters.
    """
    chosen = np.asarray(indicator)
    n = chosen.size
    if n == 0:
        return Estimate.undefined("a proportion needs rows")
    values = flags(chosen, n).astype(np.float64)
    share, clusters = float(values.mean()), clusters_of(cluster, n, record)
    if reason := clusters.too_few:
        return Estimate(share, n=n, status="no-interval", reason=reason, scale="share")
    variance = clustered_variance((values - share) / n, clusters)
    independent = share * (1 - share) / n
    deff = variance.value / independent if independent else 1.0
    few = (t_quantile(n - 1) / t_quantile(variance.degrees)) ** 2
    rows = n * few / max(deff, few)
    low, high = clopper_pearson(share * rows, rows)
    details = {"clusters": float(clusters.count), "design_effect": deff, "degrees": variance.degrees}
    return Estimate(share, low, high, n, scale="share", details=details)


def clopper_pearson(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval; successes and trials need not be integers."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return low, high
