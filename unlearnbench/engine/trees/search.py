"""The best split of one node over the features it tries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, GrowthLimits, Scratch, TreeBuilder
from unlearnbench.engine.trees.draws import draw
from unlearnbench.engine.trees.sorting import ONE_ROW, NodeRows, SortedCells, sort_rows
from unlearnbench.engine.trees.splits import best_split, varies
from unlearnbench.engine.trees.table import Table


@kernel(borrows=True)
def gather(
    rows: NDArray[np.int32],
    weight: NDArray[np.int64],
    label: NDArray[np.int32],
    total: NDArray[np.int64],
    out: NodeRows,
) -> int:
    """Copy the table ``rows`` whose ``weight`` (n,) is above 0 to ``out`` and their class weights to ``total`` (C,).

    Return how many rows were copied.
    """
    for c in range(len(total)):
        total[c] = 0
    n = 0
    for row in rows:
        w = weight[row]
        if w:
            out.row[n], out.label[n], out.cell[n] = row, label[row], ONE_ROW + w
            total[label[row]] += w
            n += 1
    return n


@kernel(borrows=True)
def search(
    node: int,
    n: int,
    rows: NDArray[np.int32],
    weight: NDArray[np.int64],
    table: Table,
    limits: GrowthLimits,
    old: TreeBuilder,
    change: Change,
    lower_bound: float,
    builder: TreeBuilder,
    scratch: Scratch,
) -> None:
    """Find the node's best split and write it to the builder.

    The node has ``n`` rows. Without an origin they are in ``scratch.rows``. With one they are those of ``rows`` with a
    weight, and are gathered only where the old tree has not stored them sorted.

    Features are tried in the order drawn from the node's key; the first of equal gains wins. ``max_features`` are
    tried, and more only while none of them varies in the node (scikit-learn's rule). A feature whose best gain in the
    old tree is below ``lower_bound`` cannot win and is skipped.
    """
    origin, d, gathered, varied = builder.origin[node], len(scratch.order), builder.origin[node] < 0, False
    builder.stored[node] = change.new
    for f in range(d):
        scratch.order[f] = f
    for i in range(d):
        if i >= limits.max_features and varied:
            break
        f = draw(scratch.order, builder.key[node], i)
        # The slot of a feature in ``scores`` and ``cells``: its number where all are tried, else its turn; -1: none.
        slot = f if limits.max_features == d else (i if i < limits.max_features else -1)
        if origin >= 0 and slot >= 0:
            if old.scores[origin, slot] < lower_bound:
                continue
            if old.stored[origin]:
                varied |= _try_stored(node, f, slot, n, table, limits, old, change, builder, scratch)
                continue
        if not gathered:
            gather(rows, weight, table.label, builder.total[node], scratch.rows)
            gathered = True
        varied |= _try_rows(node, f, slot, n, table, limits, builder, scratch)


@kernel(borrows=True)
def _try_rows(
    node: int, f: int, slot: int, n: int, table: Table, limits: GrowthLimits, builder: TreeBuilder, scratch: Scratch
) -> bool:
    """Sort the gathered rows by feature ``f`` and try its splits; return whether the feature varies."""
    n_codes = table.first[f + 1] - table.first[f]
    m = sort_rows(table.codes[f], n_codes, table.n_classes, scratch.rows, n, scratch.workspace, scratch.sorted)
    if builder.stored[node] and slot >= 0:
        _store_cells(node, slot, m, builder, scratch.sorted)
    return _update_best(node, f, slot, n, scratch.sorted, m, table, limits, builder, scratch)


@kernel(borrows=True)
def _store_cells(node: int, slot: int, m: int, builder: TreeBuilder, cells: SortedCells) -> None:
    """Store ``m`` sorted cells for variants to read; where there is no space left, mark the node as not stored."""
    start = builder.used[0]
    if start + m > len(builder.cells.code):
        builder.stored[node] = False
        return
    builder.cell_start[node, slot], builder.cell_count[node, slot], builder.used[0] = start, m, start + m
    for i in range(m):
        builder.cells.code[start + i] = cells.code[i]
        builder.cells.label[start + i] = cells.label[i]
        builder.cells.cell[start + i] = cells.cell[i]


@kernel(borrows=True)
def _try_stored(
    node: int,
    f: int,
    slot: int,
    n: int,
    table: Table,
    limits: GrowthLimits,
    old: TreeBuilder,
    change: Change,
    builder: TreeBuilder,
    scratch: Scratch,
) -> bool:
    """Try feature ``f`` on the old node's sorted cells, without sorting; return whether the feature varies.

    The removed rows are subtracted from their cells, and added again before the return.
    """
    start, count = old.cell_start[builder.origin[node], slot], old.cell_count[builder.origin[node], slot]
    end = start + count
    cells = SortedCells(old.cells.code[start:end], old.cells.label[start:end], old.cells.cell[start:end])
    removed = change.removed[builder.removed_start[node] : builder.removed_end[node]]
    for i in range(len(removed)):
        cell = ONE_ROW + change.weight[removed[i]]
        scratch.taken[i] = _cell_of(table.codes[f, removed[i]], table.label[removed[i]], cell, cells)
        cells.cell[scratch.taken[i]] -= cell
    varied = _update_best(node, f, slot, n, cells, count, table, limits, builder, scratch)
    for i in range(len(removed)):
        cells.cell[scratch.taken[i]] += ONE_ROW + change.weight[removed[i]]
    return varied


@kernel(borrows=True)
def _cell_of(code: int, label: int, cell: int, cells: SortedCells) -> int:
    """Return the index of the cell that holds a row of this rank, label and weight.

    After counting it is the only cell of the rank and label. After buckets it is a cell of one row of equal weight;
    which of several does not matter, because they are equal.
    """
    # Binary search for the first cell of the rank.
    low, high = 0, len(cells.code)
    while low < high:
        middle = (low + high) // 2
        if cells.code[middle] < code:
            low = middle + 1
        else:
            high = middle
    while cells.label[low] != label or (cells.cell[low] != cell and cells.cell[low] < 2 * ONE_ROW):
        low += 1
    return low


@kernel(borrows=True)
def _update_best(
    node: int,
    f: int,
    slot: int,
    n: int,
    cells: SortedCells,
    m: int,
    table: Table,
    limits: GrowthLimits,
    builder: TreeBuilder,
    scratch: Scratch,
) -> bool:
    """Take the feature's best split if it gains more than those before; return whether the feature varies."""
    values = table.values[table.first[f] : table.first[f + 1]]
    gain, low, high, rows_left = best_split(cells, m, values, builder.total[node], n, limits.min_leaf, scratch.left)
    if slot >= 0:
        # When the rows between two close values are removed, a new split is allowed: never skip such a feature.
        builder.scores[node, slot] = np.inf if table.close[f] else gain
    if gain > builder.gain[node]:
        builder.feature[node], builder.gain[node], builder.tied[node] = f, gain, False
        builder.low[node], builder.high[node], builder.rows_left[node] = low, high, rows_left
    elif gain >= 0 and gain == builder.gain[node]:
        builder.tied[node] = True
    return varies(cells, m, values)
