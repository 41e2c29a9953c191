"""Rows of one cluster (an original model) are dependent, clusters are independent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

MIN_CLUSTERS = 5
"""Least number of clusters for an interval; with fewer their variance is too uncertain."""
MIN_EFFECTIVE = 3.0
"""Least effective number of clusters for an interval, where clusters are of unequal size."""
WORKING_CORRELATION = 0.05
"""Correlation of two rows of a cluster that the effective number of clusters is computed with."""

COUNT_UP_TO = 32
"""Ids whose range is at most this many times their number are coded by counting, which is faster than sorting."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of each row, and its class where an estimate compares two."""

    code: NDArray[np.int64]
    """Number of the cluster (n,), from 0."""
    count: int
    """Number of clusters."""
    record: NDArray[np.int64] | None = None
    """Number of the record (n,), from 0, where records are given."""
    positive: NDArray[np.bool_] | None = None
    """The class (n,), where there are two."""

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """How many rows of each class each cluster has (classes, clusters)."""
        if self.positive is None:
            return np.bincount(self.code, minlength=self.count)[None]
        classes = (~self.positive, self.positive)
        return np.stack([np.bincount(self.code[chosen], minlength=self.count) for chosen in classes])

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Which share of the rows of each class each cluster has (classes, clusters)."""
        return np.asarray(self.rows / np.maximum(self.rows.sum(axis=1, keepdims=True), 1))

    @cached_property
    def leverage(self) -> NDArray[np.float64]:
        """Which share of its class the cluster of a row has (n,)."""
        return np.asarray(self.shares[0 if self.positive is None else self.positive.astype(np.int64), self.code])

    @cached_property
    def fewest(self) -> int:
        """In how many clusters the class occurs that occurs in the fewest."""
        return int(np.count_nonzero(self.rows, axis=1).min())

    @cached_property
    def effective(self) -> float:
        """How many clusters of equal size inform as much about the variance (Carter, Schnepel, Steigerwald 2017).

        (sum v)^2 / sum v^2, where v is the variance of a cluster's sum if its rows are correlated by
        :data:`WORKING_CORRELATION`; the smaller number of the two classes.
        """
        v = self.rows * (1 + WORKING_CORRELATION * (self.rows - 1))
        return float(np.min(v.sum(axis=1) ** 2 / np.maximum((v**2).sum(axis=1), 1)))

    @property
    def too_few(self) -> str:
        """Why there can be no interval; empty where there can."""
        if self.fewest < MIN_CLUSTERS:
            return f"an interval needs {MIN_CLUSTERS} clusters, has {self.fewest}"
        if self.effective < MIN_EFFECTIVE:
            return (
                f"most rows are of few clusters, worth {self.effective:.1f} of equal size; "
                f"an interval needs {MIN_EFFECTIVE:g}"
            )
        return ""


def clusters_of(
    cluster: ArrayLike, rows: int, record: ArrayLike | None = None, positive: NDArray[np.bool_] | None = None
) -> Clusters:
    """Return the clusters, and the records where given, from ids of any type, each (rows,)."""
    code, count = codes_of(cluster, rows)
    return Clusters(code, count, None if record is None else codes_of(record, rows)[0], positive)


def codes_of(ids: ArrayLike, rows: int) -> tuple[NDArray[np.int64], int]:
    """Return the number (rows,) of each id, from 0 in their order, and how many there are."""
    vector = np.asarray(ids)
    if vector.shape != (rows,):
        raise ValueError(f"expected {rows} ids, one a row, got shape {vector.shape}")
    if rows and np.issubdtype(vector.dtype, np.integer):
        low, high = int(vector.min()), int(vector.max())
        if low == high:
            return np.zeros(rows, dtype=np.int64), 1
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


def one_class(positive: NDArray[np.bool_]) -> bool:
    """Return whether positives or negatives are missing."""
    return bool(positive.all() or not positive.any())
