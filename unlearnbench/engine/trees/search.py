"""The best cut of one node over the features it tries."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, Draft, Rules, Work
from unlearnbench.engine.trees.draws import draw
from unlearnbench.engine.trees.sorting import ONE_ROW, Rows, Sorted, sort_rows
from unlearnbench.engine.trees.splits import best_cut, varies
from unlearnbench.engine.trees.table import Table


@kernel(borrows=True)
def gather(
    places: NDArray[np.int32], weight: NDArray[np.int64], label: NDArray[np.int32], total: NDArray[np.int64], rows: Rows
) -> int:
    """Put those of ``places`` that weigh something into ``rows``, their class weights into ``total`` (C,); count."""
    for c in range(len(total)):
        total[c] = 0
    n = 0
    for place in places:
        w = weight[place]
        if w:
            rows.place[n], rows.label[n], rows.cell[n] = place, label[place], ONE_ROW + w
            total[label[place]] += w
            n += 1
    return n


@kernel(borrows=True)
def search(
    node: int,
    n: int,
    places: NDArray[np.int32],
    weight: NDArray[np.int64],
    table: Table,
    rules: Rules,
    old: Draft,
    change: Change,
    floor: float,
    draft: Draft,
    work: Work,
) -> None:
    """Find the node's best cut, and write it to the draft.

    The ``n`` rows of a node without origin lie in ``work.rows``; those of others in ``places`` where the old tree has
    not kept them sorted. Features are tried in the order drawn by the node's key, the first of equals wins.
    ``max_features`` are tried, more only while none of them varies in the node (scikit-learn's rule). A feature whose
    old score is below ``floor`` cannot win and is skipped.
    """
    origin, d, gathered, varied = draft.origin[node], len(work.order), draft.origin[node] < 0, False
    draft.kept[node] = change.new
    for f in range(d):
        work.order[f] = f
    for i in range(d):
        if i >= rules.max_features and varied:
            break
        f = draw(work.order, draft.key[node], i)
        slot = f if rules.max_features == d else (i if i < rules.max_features else -1)
        if origin >= 0 and slot >= 0:
            if old.scores[origin, slot] < floor:
                continue
            if old.kept[origin]:
                varied |= _try_kept(node, f, slot, n, table, rules, old, change, draft, work)
                continue
        if not gathered:
            gather(places, weight, table.label, draft.total[node], work.rows)
            gathered = True
        varied |= _try_rows(node, f, slot, n, table, rules, draft, work)


@kernel(borrows=True)
def _try_rows(node: int, f: int, slot: int, n: int, table: Table, rules: Rules, draft: Draft, work: Work) -> bool:
    """Try a feature on the rows gathered; return whether it varies."""
    n_codes = table.first[f + 1] - table.first[f]
    m = sort_rows(table.codes[f], n_codes, table.n_classes, work.rows, n, work.bench, work.sorted)
    if draft.kept[node] and slot >= 0:
        _keep(node, slot, m, draft, work.sorted)
    return _judge(node, f, slot, n, work.sorted, m, table, rules, draft, work)


@kernel(borrows=True)
def _keep(node: int, slot: int, m: int, draft: Draft, cells: Sorted) -> None:
    """Remember sorted cells for the changes to come, as long as there is room."""
    start = draft.used[0]
    if start + m > len(draft.cells.code):
        draft.kept[node] = False
        return
    draft.cell_start[node, slot], draft.cell_count[node, slot], draft.used[0] = start, m, start + m
    for i in range(m):
        draft.cells.code[start + i] = cells.code[i]
        draft.cells.label[start + i] = cells.label[i]
        draft.cells.cell[start + i] = cells.cell[i]


@kernel(borrows=True)
def _try_kept(
    node: int,
    f: int,
    slot: int,
    n: int,
    table: Table,
    rules: Rules,
    old: Draft,
    change: Change,
    draft: Draft,
    work: Work,
) -> bool:
    """Try a feature on the old node's cells, with what is gone taken out for the while."""
    start, count = old.cell_start[draft.origin[node], slot], old.cell_count[draft.origin[node], slot]
    end = start + count
    cells = Sorted(old.cells.code[start:end], old.cells.label[start:end], old.cells.cell[start:end])
    gone = change.places[draft.gone_start[node] : draft.gone_end[node]]
    for i in range(len(gone)):
        cell = ONE_ROW + change.weight[gone[i]]
        work.taken[i] = _cell_of(table.codes[f, gone[i]], table.label[gone[i]], cell, cells)
        cells.cell[work.taken[i]] -= cell
    varied = _judge(node, f, slot, n, cells, count, table, rules, draft, work)
    for i in range(len(gone)):
        cells.cell[work.taken[i]] += ONE_ROW + change.weight[gone[i]]
    return varied


@kernel(borrows=True)
def _cell_of(code: int, label: int, cell: int, cells: Sorted) -> int:
    """Return where a row, or one as good, is held: alone (buckets) or with all its like (counting)."""
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
def _judge(
    node: int,
    f: int,
    slot: int,
    n: int,
    cells: Sorted,
    m: int,
    table: Table,
    rules: Rules,
    draft: Draft,
    work: Work,
) -> bool:
    """Take the feature's best cut if it is better than those before; return whether the feature varies."""
    values = table.values[table.first[f] : table.first[f + 1]]
    gain, low, high, rows_left = best_cut(cells, m, values, draft.total[node], n, rules.min_leaf, work.left)
    if slot >= 0:
        # When the rows between two close values leave, a cut appears: such a feature can never be ruled out.
        draft.scores[node, slot] = np.inf if table.close[f] else gain
    if gain > draft.gain[node]:
        draft.feature[node], draft.gain[node], draft.tied[node] = f, gain, False
        draft.low[node], draft.high[node], draft.rows_left[node] = low, high, rows_left
    elif gain >= 0 and gain == draft.gain[node]:
        draft.tied[node] = True
    return varies(cells, m, values)
