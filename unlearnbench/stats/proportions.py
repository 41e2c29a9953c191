"""Proportions of rows that share original models."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from unlearnbench.core.estimates import Estimate
from unlearnbench.stats.clusters import MIN_CLUSTERS, clustered_se, clusters_of, flags, t_quantile, too_few


def korn_graubard(indicator: ArrayLike, cluster: ArrayLike) -> Estimate:
    """Return the share of true rows, indicator (n,), with the interval of Korn and Graubard (1998).

    It is Clopper and Pearson's with as many independent rows as the n clustered ones are worth:
    n / deff * (t_{n-1} / t_{K-1})^2, but at most n, for K clusters (n,) and design effect deff. Shares of 0 and 1 show
    no spread between clusters; their deff is 1. Of a nominal 95 % it covers 93-99 %, the more the fewer the clusters.
    Undefined without rows, no interval below 5 clusters.
    """
    chosen = np.asarray(indicator)
    n = chosen.size
    if n == 0:
        return Estimate.undefined("a proportion needs rows")
    hits = flags(chosen, n).astype(np.float64)
    share, clusters = float(hits.mean()), clusters_of(cluster, n)
    if clusters.count < MIN_CLUSTERS:
        return Estimate(share, n=n, status="no-interval", reason=too_few(clusters.count))
    independent = share * (1 - share) / n
    deff = clustered_se((hits - share) / n, clusters) ** 2 / independent if independent else 1.0
    few = (t_quantile(n - 1) / t_quantile(clusters.count - 1)) ** 2
    rows = n * few / max(deff, few)
    low, high = clopper_pearson(share * rows, rows)
    return Estimate(share, low, high, n, details={"clusters": clusters.count, "design_effect": deff})


def clopper_pearson(successes: float, trials: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact binomial interval; successes and trials need not be whole."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return low, high
