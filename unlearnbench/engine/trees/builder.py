"""A tree while it grows, and the rules by which it does."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.sorting import Bench, Rows, Sorted, bench_for
from unlearnbench.engine.trees.table import Table

NO_LIMIT = 2**31 - 1
_MEMORY = 4_000_000  # cells that a tree may remember, 16 bytes each


class Rules(NamedTuple):
    """How far trees are grown: rows in a leaf, leaves, splits on the way to one, features tried at a split.

    ``linked``: leave what a change does not touch as links to the old tree; for trees without a limit on leaves.
    """

    min_leaf: int
    max_leaves: int
    max_depth: int
    max_features: int
    linked: bool = False


class Draft(NamedTuple):
    """All that is known of the nodes (cap,) of a growing tree. Children are made in pairs, after their parent.

    ``origin``: the node of the old tree whose rows, less those gone, this one holds, or -1 · ``start``, ``end``: its
    rows in ``rows``, the old tree's if there is an origin · ``gone_start``, ``gone_end``: which of the rows gone it
    held · ``key``: of its path · ``feature``, ``low``, ``high``, ``rows_left``, ``gain``: its best cut, -1 where there
    is none · ``tied``: other features cut as well · ``child``: its left child, -1 while it has none · ``total``
    (cap, C): class weights · ``scores`` (cap, max_features): best gain of each feature tried, in the order drawn or,
    where all are tried, in the table's · ``cells``: sorted cells of those features, from ``cell_start`` on
    ``cell_count`` of them (cap, max_features); not where ``kept`` is False · ``used`` (1,): cells taken · ``rows``
    (n,): the table's rows, each node's in a run.
    """

    origin: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    gone_start: NDArray[np.int32]
    gone_end: NDArray[np.int32]
    depth: NDArray[np.int32]
    key: NDArray[np.uint64]
    feature: NDArray[np.int32]
    low: NDArray[np.int32]
    high: NDArray[np.int32]
    rows_left: NDArray[np.int32]
    gain: NDArray[np.float64]
    tied: NDArray[np.bool_]
    child: NDArray[np.int32]
    total: NDArray[np.int64]
    scores: NDArray[np.float64]
    cell_start: NDArray[np.int64]
    cell_count: NDArray[np.int64]
    kept: NDArray[np.bool_]
    cells: Sorted
    used: NDArray[np.int64]
    rows: NDArray[np.int32]


class Change(NamedTuple):
    """How a tree differs from the old one: ``places`` (k,) of rows gone, what each table row weighed then (n,).

    ``new``: there is no old tree · ``redrawn``: features are drawn by another key; only where all are tried.
    """

    places: NDArray[np.int32]
    weight: NDArray[np.int64]
    new: bool
    redrawn: bool


class Work(NamedTuple):
    """Space for the node at hand."""

    rows: Rows
    sorted: Sorted
    bench: Bench
    order: NDArray[np.int32]
    left: NDArray[np.int64]
    taken: NDArray[np.int32]


@kernel()
def draft_for(table: Table, rules: Rules, memory: bool) -> Draft:
    """Return space for any tree on this table; with ``memory``, for the cells of its nodes too."""
    n = table.codes.shape[1]
    cap = 2 * max(1, min(rules.max_leaves, n // rules.min_leaf)) - 1
    i4 = np.int32
    return Draft(
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=np.uint64),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=i4),
        np.empty(cap, dtype=np.float64),
        np.empty(cap, dtype=np.bool_),
        np.empty(cap, dtype=i4),
        np.empty((cap, table.n_classes), dtype=np.int64),
        np.empty((cap, rules.max_features), dtype=np.float64),
        np.empty((cap, rules.max_features), dtype=np.int64),
        np.empty((cap, rules.max_features), dtype=np.int64),
        np.empty(cap, dtype=np.bool_),
        _cells_for(min(_MEMORY, 64 * n * rules.max_features) if memory else 0),
        np.zeros(1, dtype=np.int64),
        np.empty(n, dtype=i4),
    )


@kernel()
def work_for(table: Table) -> Work:
    """Return space for any node of trees on this table."""
    d, n = table.codes.shape
    most_codes = 0
    for f in range(d):
        most_codes = max(most_codes, table.first[f + 1] - table.first[f])
    return Work(
        Rows(np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64)),
        _cells_for(n),
        bench_for(n, most_codes),
        np.empty(d, dtype=np.int32),
        np.empty((2, table.n_classes), dtype=np.int64),
        np.empty(n, dtype=np.int32),
    )


@kernel()
def _cells_for(n: int) -> Sorted:
    return Sorted(np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64))
