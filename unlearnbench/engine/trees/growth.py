"""Growing a tree, from nothing or from the tree of more records.

When rows are removed, only nodes that held one of them can change. Such a node searches its split again. Where the
split sends the rows that stay to the same sides as before, the children are the old ones less the rows removed; else
they are grown from nothing. Nodes that held none of the removed rows are copied or linked. The result is the tree that
growing from nothing gives, bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, GrowthLimits, Scratch, TreeBuilder
from unlearnbench.engine.trees.children import copy_rows, make_children
from unlearnbench.engine.trees.nodes import LINK
from unlearnbench.engine.trees.search import gather, search
from unlearnbench.engine.trees.table import Table


@kernel(borrows=True)
def grow(
    table: Table,
    weight: NDArray[np.int64],
    key: np.uint64,
    limits: GrowthLimits,
    old: TreeBuilder,
    change: Change,
    builder: TreeBuilder,
    scratch: Scratch,
) -> int:
    """Grow the tree of the rows with ``weight`` (n,) above 0 into ``builder``; return its number of nodes.

    ``change`` says how these rows differ from those of the ``old`` tree, if there is one.

    Nodes are made in pairs and searched at once, so that the gains of all leaves are known. ``top`` is how much of
    ``builder.rows`` is in use, ``count`` how many nodes there are, ``done`` how many are searched.
    """
    top, done, count, node = _make_root(builder, weight, key, change), 0, 1, -1
    while True:
        for new in range(done, count):
            _search_node(new, table, weight, limits, old, change, builder, scratch)
        done = count
        node = _next_to_split(builder, node, count, limits)
        if node < 0:
            return count
        top = make_children(node, count, top, table, weight, old, change, builder)
        count += 2


@kernel(borrows=True)
def _make_root(builder: TreeBuilder, weight: NDArray[np.int64], key: np.uint64, change: Change) -> int:
    """Make the root; return how much of ``builder.rows`` is in use."""
    builder.depth[0], builder.key[0], builder.used[0] = 0, key, 0
    builder.removed_start[0], builder.removed_end[0] = 0, len(change.removed)
    if not change.new:
        builder.origin[0] = 0
        return 0
    builder.origin[0] = -1
    for row in range(len(weight)):
        builder.rows[row] = row
    return copy_rows(0, builder.rows, weight, 0, builder)


@kernel(borrows=True)
def _search_node(
    node: int,
    table: Table,
    weight: NDArray[np.int64],
    limits: GrowthLimits,
    old: TreeBuilder,
    change: Change,
    builder: TreeBuilder,
    scratch: Scratch,
) -> None:
    """Fill in the node's class weights and its best split."""
    origin, unchanged, lower_bound, rows = builder.origin[node], False, -np.inf, builder.rows
    builder.child[node], builder.feature[node], builder.gain[node], builder.tied[node] = -1, -1, -1.0, False
    # A node of the old tree that held no removed row has the old split, unless a tie is drawn again.
    if origin >= 0:
        unchanged = builder.removed_start[node] == builder.removed_end[node]
        if unchanged and not (change.redrawn and old.tied[origin]):
            _copy_node(node, origin, old, limits, builder)
            return
        builder.start[node], builder.end[node] = old.start[origin], old.end[origin]
        rows = old.rows
    rows = rows[builder.start[node] : builder.end[node]]
    if origin >= 0:
        n = _remaining(node, origin, table, old, change, builder)
        lower_bound = _lower_bound(node, origin, limits, old, change, table, builder)
    else:
        n = gather(rows, weight, table.label, builder.total[node], scratch.rows)
    if not _is_leaf(n, builder.total[node], builder.depth[node], limits):
        search(node, n, rows, weight, table, limits, old, change, lower_bound, builder, scratch)


@kernel(borrows=True)
def _is_leaf(n: int, total: NDArray[np.int64], depth: int, limits: GrowthLimits) -> bool:
    """Return whether a node must stay a leaf, before any split is tried: too deep, too small, or of one class."""
    if depth >= limits.max_depth or n < 2 * limits.min_leaf or n < 2:
        return True
    classes = 0
    for weight in total:
        classes += weight > 0
    return classes == 1


@kernel(borrows=True)
def _copy_node(node: int, origin: int, old: TreeBuilder, limits: GrowthLimits, builder: TreeBuilder) -> None:
    """Copy an unchanged node of the old tree, or link to it."""
    if limits.linked:
        builder.feature[node], builder.child[node] = LINK, origin
        return
    builder.start[node], builder.end[node] = old.start[origin], old.end[origin]
    builder.feature[node], builder.low[node], builder.high[node] = (
        old.feature[origin],
        old.low[origin],
        old.high[origin],
    )
    builder.gain[node], builder.rows_left[node] = old.gain[origin], old.rows_left[origin]
    for c in range(builder.total.shape[1]):
        builder.total[node, c] = old.total[origin, c]


@kernel(borrows=True)
def _remaining(node: int, origin: int, table: Table, old: TreeBuilder, change: Change, builder: TreeBuilder) -> int:
    """Fill in the old node's class weights less those of the removed rows; return the number of rows that stay."""
    for c in range(builder.total.shape[1]):
        builder.total[node, c] = old.total[origin, c]
    removed = change.removed[builder.removed_start[node] : builder.removed_end[node]]
    for row in removed:
        builder.total[node, table.label[row]] -= change.weight[row]
    return old.end[origin] - old.start[origin] - len(removed)  # type: ignore[no-any-return]


@kernel(borrows=True)
def _lower_bound(
    node: int,
    origin: int,
    limits: GrowthLimits,
    old: TreeBuilder,
    change: Change,
    table: Table,
    builder: TreeBuilder,
) -> float:
    """Return the old gain below which no feature can win now; -inf where the old best split is no longer allowed.

    Removing rows of summed weight W changes each gain by at most W, and so the difference of two gains by at most 2 W.
    """
    feature, left, lost = old.feature[origin], 0, 0
    if feature < 0:
        return -np.inf
    removed = change.removed[builder.removed_start[node] : builder.removed_end[node]]
    for row in removed:
        left += table.codes[feature, row] <= old.low[origin]
        lost += change.weight[row]
    rows_left = old.rows_left[origin]
    rows_right = old.end[origin] - old.start[origin] - rows_left
    if rows_left - left < limits.min_leaf or rows_right - (len(removed) - left) < limits.min_leaf:
        return -np.inf
    return float(old.gain[origin] - 2.0 * lost - 1e-6)  # the last term for rounding


@kernel(borrows=True)
def _next_to_split(builder: TreeBuilder, last: int, count: int, limits: GrowthLimits) -> int:
    """Return the leaf of the largest gain, the first of equals; -1 where there is none or no leaf may be added.

    Without a limit on leaves all are split, so they are returned in order, after the node split ``last``.
    """
    if count + 1 >= 2 * limits.max_leaves:
        return -1
    if limits.max_leaves >= len(builder.rows):
        for node in range(last + 1, count):
            if builder.gain[node] >= 0:
                return node
        return -1
    best, gain = -1, -1.0
    for node in range(count):
        if builder.child[node] < 0 and builder.gain[node] > gain:
            best, gain = node, builder.gain[node]
    return best
