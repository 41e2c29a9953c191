"""What all trees on one set of records share: every feature's values as ranks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.precision import in_float32

SAME = np.float32(1e-7)
"""Values at most this far apart, in float32, count as equal: scikit-learn's rule, so that splits are the same."""


class Table(NamedTuple):
    """Records (n) by feature (d), in the form that the search for splits reads.

    Features are the leading axis, because a search reads one feature of many rows. Ranks replace values, because rows
    can then be sorted in linear time.
    """

    codes: NDArray[np.int32]
    """(d, n): the rank of each value among the distinct values of its feature."""
    first: NDArray[np.int64]
    """(d + 1,): the distinct values of feature ``f`` are ``values[first[f]:first[f + 1]]``."""
    values: NDArray[np.float32]
    """The distinct values of all features, ascending within each."""
    close: NDArray[np.bool_]
    """(d,): whether the feature has two neighbouring values that count as equal, see ``SAME``."""
    label: NDArray[np.int32]
    """(n,): the class of each record."""
    n_classes: int
    """The number of classes of the data set."""


def tabulate(x: NDArray[np.float64], y: NDArray[np.int64], n_classes: int) -> Table:
    """Return the table of features ``x`` (n, d) and labels ``y`` (n,); UserError where one is too large for float32."""
    found = [np.unique(column, return_inverse=True) for column in in_float32(x).T]
    values = [distinct for distinct, _ in found]
    return Table(
        codes=np.array([rank for _, rank in found], dtype=np.int32).reshape(x.shape[1], len(x)),
        first=np.cumsum([0, *map(len, values)], dtype=np.int64),
        values=np.concatenate([np.empty(0, dtype=np.float32), *values]),
        close=np.array([bool((each[1:] <= each[:-1] + SAME).any()) for each in values], dtype=np.bool_),
        label=y.astype(np.int32),
        n_classes=n_classes,
    )
