"""The children of a split node, and which rows they get."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, TreeBuilder
from unlearnbench.engine.trees.draws import extend
from unlearnbench.engine.trees.table import Table


@kernel(borrows=True)
def make_children(
    node: int,
    left: int,
    top: int,
    table: Table,
    weight: NDArray[np.int64],
    old: TreeBuilder,
    change: Change,
    builder: TreeBuilder,
) -> int:
    """Make the children ``left`` and ``left + 1``; return how much of ``builder.rows`` is in use."""
    builder.child[node] = left
    origin = builder.origin[node]
    codes = table.codes[builder.feature[node]]
    for side in range(2):
        builder.depth[left + side] = builder.depth[node] + 1
        builder.key[left + side] = extend(builder.key[node], side)
    if origin >= 0 and _same_children(node, origin, codes, old, change, builder):
        for side in range(2):
            builder.origin[left + side] = old.child[origin] + side
        return top
    # The children differ from the old ones: from here down the rows are this tree's own.
    if origin >= 0:
        top = copy_rows(node, old.rows[old.start[origin] : old.end[origin]], weight, top, builder)
    start, end = builder.start[node], builder.end[node]
    middle = start + _partition(builder.rows[start:end], codes, builder.low[node])
    _set_ranges(left, start, middle, end, builder.start, builder.end)
    _set_ranges(left, 0, 0, 0, builder.removed_start, builder.removed_end)
    builder.origin[left] = builder.origin[left + 1] = -1
    return top


@kernel(borrows=True)
def _same_children(
    node: int, origin: int, codes: NDArray[np.int32], old: TreeBuilder, change: Change, builder: TreeBuilder
) -> bool:
    """Return whether the split sends the rows that stay where the old one did; if so, give the children their removed.

    Both splits send the lowest rows of the same ranking to the left, so equal numbers on the left mean equal rows.
    """
    if old.child[origin] < 0 or old.feature[origin] != builder.feature[node]:
        return False
    start, end = builder.removed_start[node], builder.removed_end[node]
    left = _partition(change.removed[start:end], codes, old.low[origin])
    _set_ranges(builder.child[node], start, start + left, end, builder.removed_start, builder.removed_end)
    return bool(builder.rows_left[node] == old.rows_left[origin] - left)


@kernel(borrows=True)
def copy_rows(node: int, rows: NDArray[np.int32], weight: NDArray[np.int64], top: int, builder: TreeBuilder) -> int:
    """Copy those of ``rows`` with a weight to ``builder.rows`` from ``top`` on, as the node's; return the new top."""
    builder.start[node] = top
    for row in rows:
        if weight[row]:
            builder.rows[top] = row
            top += 1
    builder.end[node] = top
    return top


@kernel(borrows=True)
def _set_ranges(
    left: int, start: int, middle: int, end: int, starts: NDArray[np.int32], ends: NDArray[np.int32]
) -> None:
    """Give ``start:middle`` to the child ``left`` and ``middle:end`` to the right one, which follows it."""
    starts[left], ends[left], starts[left + 1], ends[left + 1] = start, middle, middle, end


@kernel(borrows=True)
def _partition(rows: NDArray[np.int32], codes: NDArray[np.int32], low: int) -> int:
    """Move the rows with a rank up to ``low`` to the front; return how many there are."""
    front = 0
    for i in range(len(rows)):
        row = rows[i]
        if codes[row] <= low:
            rows[i], rows[front] = rows[front], row
            front += 1
    return front
