"""A tree while it grows, and the limits of its growth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.sorting import NodeRows, SortedCells, Workspace, workspace_for
from unlearnbench.engine.trees.table import Table

NO_LIMIT = 2**31 - 1
_MOST_CELLS = 4_000_000  # sorted cells that a tree may store, 16 bytes each


class GrowthLimits(NamedTuple):
    """How far trees are grown."""

    min_leaf: int
    """Rows that a leaf must have."""
    max_leaves: int
    """Leaves of a tree at most."""
    max_depth: int
    """Splits on the way to a leaf at most."""
    max_features: int
    """Features tried at a node."""
    linked: bool = False
    """Whether a variant of a tree holds a link where the old tree's nodes are unchanged. Not with ``max_leaves``."""


class TreeBuilder(NamedTuple):
    """All that is known of the nodes of a growing tree, one array entry (capacity,) a node.

    One array a field, because a stage of growth reads a few fields of many nodes. Node 0 is the root. Children are
    made in pairs, after their parent, and stand side by side.

    A builder serves two purposes. It grows a tree; and, as the *old* tree, it is what variants without some of the
    rows are grown from. A variant's node with an ``origin`` has the rows of that node of the old tree, less those
    removed.
    """

    origin: NDArray[np.int32]
    """The node of the old tree whose rows, less those removed, this one has; or -1."""
    start: NDArray[np.int32]
    """Where the node's rows begin in ``rows``; in the old tree's ``rows`` if there is an origin."""
    end: NDArray[np.int32]
    """Where they end."""
    removed_start: NDArray[np.int32]
    """Where the rows removed from this node begin in ``Change.removed``."""
    removed_end: NDArray[np.int32]
    """Where they end."""
    depth: NDArray[np.int32]
    """The number of splits between the root and the node."""
    key: NDArray[np.uint64]
    """The key of the node's path from the root, from which its features are drawn."""
    feature: NDArray[np.int32]
    """The feature of the node's best split; -1 where there is none, ``LINK`` for a link."""
    low: NDArray[np.int32]
    """The highest rank on the left of that split."""
    high: NDArray[np.int32]
    """The lowest rank on the right of that split."""
    rows_left: NDArray[np.int32]
    """The number of rows on the left of that split."""
    gain: NDArray[np.float64]
    """The gain of that split, see :mod:`unlearnbench.engine.trees.splits`; -1 where there is none."""
    tied: NDArray[np.bool_]
    """Whether another feature has a split of the same gain."""
    child: NDArray[np.int32]
    """The left child, the right one follows it; -1 while there is none. Of a link, the node of the old tree."""
    total: NDArray[np.int64]
    """(capacity, C): the weight of each class in the node."""
    scores: NDArray[np.float64]
    """(capacity, max_features): the best gain of each feature tried.

    In the table's order of features where all are tried, else in the order drawn.
    """
    cell_start: NDArray[np.int64]
    """(capacity, max_features): where the sorted cells of each feature tried begin in ``cells``."""
    cell_count: NDArray[np.int64]
    """(capacity, max_features): how many there are."""
    stored: NDArray[np.bool_]
    """Whether ``cells`` holds the sorted cells of the node."""
    cells: SortedCells
    """The sorted cells of the features tried at all nodes, for variants to read."""
    used: NDArray[np.int64]
    """(1,): how many of ``cells`` are in use; an array because tuples cannot be changed."""
    rows: NDArray[np.int32]
    """(n,): the table's rows, those of one node side by side."""


class Change(NamedTuple):
    """How the rows of a tree differ from those of the old tree."""

    removed: NDArray[np.int32]
    """(k,): the table rows that were removed. Growth reorders them, so that those of one node stand side by side."""
    weight: NDArray[np.int64]
    """(n,): the weight of each table row in the old tree."""
    new: bool
    """Whether there is no old tree."""
    redrawn: bool
    """Whether features are drawn from another key than in the old tree; allowed only where all are tried."""


class Scratch(NamedTuple):
    """Space for one node at a time, allocated once."""

    rows: NodeRows
    """The node's rows."""
    sorted: SortedCells
    """The node's rows, sorted by one feature."""
    workspace: Workspace
    """Space for sorting."""
    order: NDArray[np.int32]
    """(d,): the features in the order drawn."""
    left: NDArray[np.int64]
    """(2, C): class weights on the left, of the split at hand and of the best one."""
    taken: NDArray[np.int32]
    """(n,): the cells from which the removed rows were subtracted."""


@kernel()
def builder_for(table: Table, limits: GrowthLimits, stores: bool) -> TreeBuilder:
    """Return space for any tree on this table; if it ``stores``, for the sorted cells of its nodes too."""
    n = table.codes.shape[1]
    capacity = 2 * max(1, min(limits.max_leaves, n // limits.min_leaf)) - 1
    i4 = np.int32
    return TreeBuilder(
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=np.uint64),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=i4),
        np.empty(capacity, dtype=np.float64),
        np.empty(capacity, dtype=np.bool_),
        np.empty(capacity, dtype=i4),
        np.empty((capacity, table.n_classes), dtype=np.int64),
        np.empty((capacity, limits.max_features), dtype=np.float64),
        np.empty((capacity, limits.max_features), dtype=np.int64),
        np.empty((capacity, limits.max_features), dtype=np.int64),
        np.empty(capacity, dtype=np.bool_),
        _cells_for(min(_MOST_CELLS, 64 * n * limits.max_features) if stores else 0),
        np.zeros(1, dtype=np.int64),
        np.empty(n, dtype=i4),
    )


@kernel()
def scratch_for(table: Table) -> Scratch:
    """Return space for any node of trees on this table."""
    d, n = table.codes.shape
    most_codes = 0
    for f in range(d):
        most_codes = max(most_codes, table.first[f + 1] - table.first[f])
    return Scratch(
        NodeRows(np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64)),
        _cells_for(n),
        workspace_for(n, most_codes),
        np.empty(d, dtype=np.int32),
        np.empty((2, table.n_classes), dtype=np.int64),
        np.empty(n, dtype=np.int32),
    )


@kernel()
def _cells_for(n: int) -> SortedCells:
    return SortedCells(np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64))
