"""Intervals for clustered rows: rows of one cluster (an original model) are dependent, clusters are independent.

To first order, each estimate is its true value plus a sum of one term per row, the *influence* of the row. The sums of
influences per cluster are independent, and their spread gives the standard error (Obuchowski 1997 for the AUC; the
linearization estimator of survey statistics for means and ratios).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.estimates import Estimate

MIN_CLUSTERS = 5
"""Least number of clusters for an interval; with fewer their variance is too uncertain."""
NEGLIGIBLE = 1e-12
"""A standard error below this share of its scale is treated as rounding error."""

COUNT_UP_TO = 32
"""Ids whose range is at most this many times their number are coded by counting, which is faster than sorting."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of each row."""

    code: NDArray[np.int64]
    """Number of the cluster (n,), from 0."""
    count: int
    """Number of clusters."""
    record: NDArray[np.int64] | None = None
    """Number of the record (n,), from 0, where records are given."""


def clusters_of(cluster: ArrayLike, rows: int, record: ArrayLike | None = None) -> Clusters:
    """Return the clusters, and the records where given, from ids of any type, each (rows,)."""
    code, count = _codes(cluster, rows)
    return Clusters(code, count, None if record is None else _codes(record, rows)[0])


def _codes(ids: ArrayLike, rows: int) -> tuple[NDArray[np.int64], int]:
    vector = np.asarray(ids)
    if vector.shape != (rows,):
        raise ValueError(f"expected {rows} ids, one a row, got shape {vector.shape}")
    if rows and np.issubdtype(vector.dtype, np.integer):
        low, high = int(vector.min()), int(vector.max())
        if high - low < COUNT_UP_TO * rows and max(abs(low), abs(high)) < 2**62:
            return _counted(vector.astype(np.int64) - low)
    distinct, code = np.unique(vector, return_inverse=True)
    return code, len(distinct)


def _counted(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return the same codes as sorting would give, for integers from 0 with a small range."""
    number = np.cumsum(np.bincount(ids) > 0)
    return number[ids] - 1, int(number[-1])


def numbers(values: ArrayLike) -> NDArray[np.float64]:
    """Return values as a vector of floats; anything but one dimension of finite numbers is a ValueError."""
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ValueError(f"expected a vector of finite numbers, got shape {vector.shape}")
    return vector


def flags(positive: ArrayLike, rows: int) -> NDArray[np.bool_]:
    """Return which rows are positive, as booleans of shape (rows,)."""
    vector = np.asarray(positive)
    if vector.shape != (rows,) or not (vector.dtype == np.bool_ or np.isin(vector, (0, 1)).all()):
        raise ValueError(f"expected {rows} booleans, one a row, got shape {vector.shape}")
    return vector.astype(np.bool_)


def class_influence(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return each row's influence (n,) on the mean of ``values`` over its own class."""
    above, below = values[positive], values[~positive]
    spread = np.where(positive, (values - above.mean()) / above.size, (values - below.mean()) / below.size)
    return np.asarray(spread)


def in_each_class(positive: NDArray[np.bool_], clusters: Clusters) -> int:
    """Return the number of clusters that contain the rarer class, by which the degrees of freedom are set.

    Usually both classes occur in every cluster, and this is the number of clusters. Otherwise the variance of the rarer
    class is estimated from these clusters only.
    """
    return min(int(np.count_nonzero(np.bincount(clusters.code[chosen]))) for chosen in (positive, ~positive))


def one_class(positive: NDArray[np.bool_]) -> bool:
    """Return whether positives or negatives are missing."""
    return bool(positive.all() or not positive.any())


def clustered_se(influence: NDArray[np.float64], clusters: Clusters, count: int | None = None) -> float:
    """Return the standard error of a sum of influences (n,), corrected for a small ``count`` of clusters.

    Where a record is queried of several original models, its rows are dependent too. With records given, the variance
    that this adds is included where it is positive (two-way clustering; Cameron, Gelbach and Miller 2011).
    """
    count = clusters.count if count is None else count
    variance = _spread(influence, clusters.code) * count / (count - 1)
    if clusters.record is not None:
        rows = len(influence)
        within_both, _ = _codes(clusters.code * rows + clusters.record, rows)
        variance += max(0.0, _spread(influence, clusters.record) - _spread(influence, within_both))
    return math.sqrt(variance)


def _spread(influence: NDArray[np.float64], code: NDArray[np.int64]) -> float:
    sums = np.bincount(code, weights=influence)
    return float(sums @ sums)


def t_quantile(degrees: float, level: float = 0.95) -> float:
    """Return the two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + level) / 2))


Interval = Callable[[float, float], tuple[float, float]]
"""Maps a value and a half-width to the two ends."""


def within(lowest: float, highest: float) -> Interval:
    """Return the symmetric interval, clipped to the range of possible values."""
    return lambda value, half: (max(lowest, value - half), min(highest, value + half))


def on_logit_scale(share: float, half: float) -> tuple[float, float]:
    """Return the interval of a share in (0, 1) that is symmetric on the logit scale; same width to first order."""
    middle, half = math.log(share / (1 - share)), half / (share * (1 - share))
    return _expit(middle - half), _expit(middle + half)


def _expit(x: float) -> float:
    small = math.exp(-abs(x))
    return (1 if x > 0 else small) / (1 + small)


def t_estimate(
    value: float,
    influence: NDArray[np.float64],
    clusters: Clusters,
    count: int | None = None,
    details: Mapping[str, float] | None = None,
    interval: Interval = within(-math.inf, math.inf),  # noqa: B008 - immutable
    level: float = 0.95,
) -> Estimate:
    """Return ``value`` with a t interval on ``count - 1`` degrees of freedom; ``count`` defaults to all clusters.

    No interval below 5 clusters, degenerate where the clusters do not vary. Adds ``se`` and ``clusters`` to the
    details.
    """
    count, details, n = clusters.count if count is None else count, details or {}, len(influence)
    details = {**details, "clusters": float(clusters.count)}
    if count < MIN_CLUSTERS:
        return Estimate(value, n=n, status="no-interval", reason=too_few(count), details=details)
    se = clustered_se(influence, clusters, count)
    details["se"] = se
    if negligible(se, value, influence):
        return Estimate(value, n=n, status="degenerate", reason="no spread between clusters", details=details)
    low, high = interval(value, t_quantile(count - 1, level) * se)
    return Estimate(value, low, high, n, details=details)


def too_few(count: int) -> str:
    """Return the reason why there is no interval."""
    return f"an interval needs {MIN_CLUSTERS} clusters, has {count}"


def negligible(se: float, value: float, influence: NDArray[np.float64]) -> bool:
    """Return whether a standard error is zero up to rounding."""
    return se <= NEGLIGIBLE * max(abs(value), float(np.abs(influence).sum()))
