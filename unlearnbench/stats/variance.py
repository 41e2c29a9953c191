"""Variances of estimates from clustered rows, with the degrees of freedom that say how well they are known.

To first order, each estimate is its true value plus a sum of one term per row, the *influence* of the row. The sums of
influences per cluster are independent, and their spread gives the variance. Where an estimate is not well described to
first order, it is computed again without each cluster in turn (the jackknife).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.core.seeding import keyed_uniforms
from unlearnbench.stats.clusters import Clusters, codes_of
from unlearnbench.stats.scales import ends

NEGLIGIBLE = 1e-12
"""A standard error below this share of its scale is treated as rounding error."""
SPLITS = 64
"""How many random splits into halves are measured: more take time and add little."""


@dataclass(frozen=True)
class Variance:
    """A variance and its degrees of freedom."""

    value: float
    degrees: float

    @property
    def se(self) -> float:
        """The standard error."""
        return math.sqrt(self.value)

    def __add__(self, other: Variance) -> Variance:
        """Return the variance of a sum of two independent errors, with the degrees of freedom of Satterthwaite 1946."""
        total = self.value + other.value
        if not self.value or not other.value:
            return self if self.value else other
        return Variance(
            total, 1 / ((self.value / total) ** 2 / self.degrees + (other.value / total) ** 2 / other.degrees)
        )

    def half_width(self, level: float = 0.95) -> float:
        """Return half the width of the t interval."""
        return t_quantile(self.degrees, level) * self.se


def class_influence(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each row's influence (n,) on the mean of ``values`` over its own class."""
    above, below = values[positive], values[~positive]
    spread = np.where(positive, (values - above.mean()) / above.size, (values - below.mean()) / below.size)
    return np.asarray(spread)


def clustered_variance(influence: NDArray[np.float64], clusters: Clusters) -> Variance:
    """Return the variance of a sum of influences (n,), each being centred within its class.

    Sums are corrected for the share of its class that a cluster holds (Bell and McCaffrey 2002); for clusters of equal
    size this is the usual G / (G - 1). Where a record is queried of several original models, its rows are dependent
    too: with records given, the variance that this adds is included where it is positive (two-way clustering; Cameron,
    Gelbach and Miller 2011). The caller has made sure that clusters are not too few.
    """
    by_cluster = _spread(influence / np.sqrt(1 - clusters.leverage), clusters.code)
    return Variance(by_cluster, clusters.effective - 1) + shared_records(influence, clusters)


def shared_records(influence: NDArray[np.float64], clusters: Clusters) -> Variance:
    """Return the variance that records add which several clusters query; zero where it is negative."""
    if clusters.record is None:
        return Variance(0.0, 1.0)
    rows = len(influence)
    within_both, _ = codes_of(clusters.code * rows + clusters.record, rows)
    more = _spread(influence, clusters.record) - _spread(influence, within_both)
    repeated = int(np.count_nonzero(np.bincount(clusters.record) > 1))
    return Variance(max(0.0, more), max(1, repeated - 1))


def deletion_variance(value: float, without: NDArray[np.float64], clusters: Clusters) -> Variance:
    """Return the variance of ``value`` from its values without each cluster in turn (G,), the jackknife.

    Weighted as in :func:`clustered_variance`. Where few clusters cause most of the variance it is less certain: degrees
    of freedom are at most those of its fourth moment, 2 G / (kurtosis - 1) - 1.
    """
    moved = without - value
    weighted = (1 - clusters.shares.max(axis=0)) * moved**2
    if not weighted.any():
        return Variance(0.0, clusters.effective - 1)
    return Variance(float(weighted.sum()), min(clusters.effective - 1, degrees_by_moment(moved)))


def halves_variance(measure: Callable[[NDArray[np.bool_]], float], clusters: Clusters) -> Variance:
    """Return the variance of a number that ``measure`` computes from chosen rows (n,), from halves of the clusters.

    The two halves of a split are independent, so their squared difference shows the variance, whatever the number: it
    need not change smoothly when a cluster is left out, as the jackknife needs it to (Shao and Wu 1989). Mean over
    :data:`SPLITS` random splits, which are the same for the same number of clusters.
    """
    codes = np.arange(clusters.count)
    half = clusters.count // 2
    found = []
    for split in range(SPLITS):
        chosen = np.isin(clusters.code, np.argsort(keyed_uniforms(split, codes))[:half])
        share = float(chosen.mean())
        found.append(share * (1 - share) * (measure(chosen) - measure(~chosen)) ** 2)
    return Variance(float(np.mean(found)), clusters.effective - 1)


def degrees_by_moment(moved: NDArray[np.float64]) -> float:
    """Return the degrees of freedom of a sum of squares of these numbers (G,), not all zero, by their fourth moment."""
    kurtosis = len(moved) * float((moved**4).sum()) / float((moved**2).sum()) ** 2
    return max(1.0, 2 * len(moved) / max(kurtosis - 1, NEGLIGIBLE) - 1)


def _spread(influence: NDArray[np.float64], code: NDArray[np.int64]) -> float:
    sums = np.bincount(code, weights=influence)
    return float(sums @ sums)


def t_quantile(degrees: float, level: float = 0.95) -> float:
    """Return the two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + level) / 2))


def t_estimate(
    value: float,
    variance: Variance,
    n: int,
    scale: Scale = "real",
    details: Mapping[str, float] | None = None,
    level: float = 0.95,
) -> Estimate:
    """Return ``value`` with a t interval on its scale; adds ``se`` and ``degrees`` to the details."""
    low, high = ends(value, variance.half_width(level), scale)
    return Estimate(
        value, low, high, n, scale=scale, details={**(details or {}), "se": variance.se, "degrees": variance.degrees}
    )


def estimate_of_influence(
    value: float,
    influence: NDArray[np.float64],
    clusters: Clusters,
    scale: Scale = "real",
    details: Mapping[str, float] | None = None,
) -> Estimate:
    """Return ``value`` with the t interval of :func:`clustered_variance`.

    No interval for too few clusters, degenerate where the clusters do not vary. Adds ``clusters`` to the details.
    """
    n, details = len(influence), {**(details or {}), "clusters": float(clusters.count)}
    if reason := clusters.too_few:
        return Estimate(value, n=n, status="no-interval", reason=reason, scale=scale, details=details)
    variance = clustered_variance(influence, clusters)
    if negligible(variance.se, value, influence):
        return no_spread(value, n, scale, details)
    return t_estimate(value, variance, n, scale, details)


def no_spread(value: float, n: int, scale: Scale, details: Mapping[str, float]) -> Estimate:
    """Return an estimate whose clusters are all alike."""
    reason = "no spread between clusters"
    return Estimate(value, n=n, status="degenerate", reason=reason, scale=scale, details={**details, "se": 0.0})


def negligible(se: float, value: float, influence: NDArray[np.float64]) -> bool:
    """Return whether a standard error is zero up to rounding."""
    return se <= NEGLIGIBLE * max(abs(value), float(np.abs(influence).sum()))
