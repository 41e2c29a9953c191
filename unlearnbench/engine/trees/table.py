"""What all trees on one set of records share: every feature's values as ranks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SAME = np.float32(1e-7)
"""Values at most this far apart, in float32, count as equal: scikit-learn's rule, so that splits are the same."""


class Table(NamedTuple):
    """Records (n) by feature (d), in the form that split search reads.

    ``codes`` (d, n): the rank of each value among the distinct values of its feature · ``values``: those distinct
    values as float32, ascending, feature ``f`` at ``first[f]:first[f + 1]`` · ``close`` (d,): has the feature two
    neighbouring values that count as equal · ``label`` (n,).
    """

    codes: NDArray[np.int32]
    first: NDArray[np.int64]
    values: NDArray[np.float32]
    close: NDArray[np.bool_]
    label: NDArray[np.int32]
    n_classes: int


def tabulate(x: NDArray[np.float64], y: NDArray[np.int64], n_classes: int) -> Table:
    """Return the table of features ``x`` (n, d) and labels ``y`` (n,)."""
    found = [np.unique(column, return_inverse=True) for column in x.T.astype(np.float32)]
    values = [distinct for distinct, _ in found]
    return Table(
        codes=np.array([rank for _, rank in found], dtype=np.int32).reshape(x.shape[1], len(x)),
        first=np.cumsum([0, *map(len, values)], dtype=np.int64),
        values=np.concatenate([np.empty(0, dtype=np.float32), *values]),
        close=np.array([bool((each[1:] <= each[:-1] + SAME).any()) for each in values], dtype=np.bool_),
        label=y.astype(np.int32),
        n_classes=n_classes,
    )
