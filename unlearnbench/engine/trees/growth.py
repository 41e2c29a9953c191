"""Growing a tree, from nothing or from the tree of more records.

When rows leave, only nodes that held one can change. Such a node searches its cut again; where the same rows go the
same ways as before, its children are the old ones less what left, else they are grown from nothing. Nodes that held
none are taken over as they are. The result is the tree that growing from nothing gives, bit for bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, Draft, Rules, Work
from unlearnbench.engine.trees.draws import extend
from unlearnbench.engine.trees.search import gather, search
from unlearnbench.engine.trees.table import Table

LINK = -2
"""The ``feature`` of a node that stands for an untouched node of the old tree, and all below it."""


@kernel(borrows=True)
def grow(
    table: Table,
    weight: NDArray[np.int64],
    key: np.uint64,
    rules: Rules,
    old: Draft,
    change: Change,
    draft: Draft,
    work: Work,
) -> int:
    """Grow the tree of the rows with ``weight`` (n,) above 0 into ``draft``; return its number of nodes.

    ``change`` says how these rows differ from those of the ``old`` tree, if there is one.
    """
    top, done, count, node = _plant(draft, weight, key, change), 0, 1, -1
    while True:
        for new in range(done, count):
            _study(new, table, weight, rules, old, change, draft, work)
        done = count
        node = _next(draft, node, count, rules)
        if node < 0:
            return count
        top = _split(node, count, top, table, weight, old, change, draft)
        count += 2


@kernel(borrows=True)
def _plant(draft: Draft, weight: NDArray[np.int64], key: np.uint64, change: Change) -> int:
    """Make the root; return how much of ``draft.rows`` is taken."""
    draft.depth[0], draft.key[0], draft.used[0] = 0, key, 0
    draft.gone_start[0], draft.gone_end[0] = 0, len(change.places)
    if not change.new:
        draft.origin[0] = 0
        return 0
    draft.origin[0] = -1
    for place in range(len(weight)):
        draft.rows[place] = place
    return _own_rows(0, draft.rows, weight, 0, draft)


@kernel(borrows=True)
def _own_rows(node: int, places: NDArray[np.int32], weight: NDArray[np.int64], top: int, draft: Draft) -> int:
    """Give the node a run in ``draft.rows`` from ``top`` on, with those of ``places`` that weigh something."""
    draft.start[node] = top
    for place in places:
        if weight[place]:
            draft.rows[top] = place
            top += 1
    draft.end[node] = top
    return top


@kernel(borrows=True)
def _study(
    node: int,
    table: Table,
    weight: NDArray[np.int64],
    rules: Rules,
    old: Draft,
    change: Change,
    draft: Draft,
    work: Work,
) -> None:
    """Fill in what the node holds and its best cut."""
    origin, untouched, floor, places = draft.origin[node], False, -np.inf, draft.rows
    draft.child[node], draft.feature[node], draft.gain[node], draft.tied[node] = -1, -1, -1.0, False
    if origin >= 0:
        untouched = draft.gone_start[node] == draft.gone_end[node]
        if untouched and not (change.redrawn and old.tied[origin]):
            _take_over(node, origin, old, rules, draft)
            return
        draft.start[node], draft.end[node] = old.start[origin], old.end[origin]
        places = old.rows
    places = places[draft.start[node] : draft.end[node]]
    if origin >= 0:
        n = _what_stayed(node, origin, table, old, change, draft)
        floor = _floor(node, origin, rules, old, change, table, draft)
    else:
        n = gather(places, weight, table.label, draft.total[node], work.rows)
    if not _is_leaf(n, draft.total[node], draft.depth[node], rules):
        search(node, n, places, weight, table, rules, old, change, floor, draft, work)


@kernel(borrows=True)
def _is_leaf(n: int, total: NDArray[np.int64], depth: int, rules: Rules) -> bool:
    """Return whether a node must stay a leaf, before any cut is tried: too deep, too small, or pure."""
    if depth >= rules.max_depth or n < 2 * rules.min_leaf or n < 2:
        return True
    classes = 0
    for weight in total:
        classes += weight > 0
    return classes == 1


@kernel(borrows=True)
def _take_over(node: int, origin: int, old: Draft, rules: Rules, draft: Draft) -> None:
    """Take over an untouched node: as a link, or all that is known of it."""
    if rules.linked:
        draft.feature[node], draft.child[node] = LINK, origin
        return
    draft.start[node], draft.end[node] = old.start[origin], old.end[origin]
    draft.feature[node], draft.low[node], draft.high[node] = old.feature[origin], old.low[origin], old.high[origin]
    draft.gain[node], draft.rows_left[node] = old.gain[origin], old.rows_left[origin]
    for c in range(draft.total.shape[1]):
        draft.total[node, c] = old.total[origin, c]


@kernel(borrows=True)
def _what_stayed(node: int, origin: int, table: Table, old: Draft, change: Change, draft: Draft) -> int:
    """Fill in the class weights of what the old node held, less what is gone; return the number of rows."""
    for c in range(draft.total.shape[1]):
        draft.total[node, c] = old.total[origin, c]
    held = change.places[draft.gone_start[node] : draft.gone_end[node]]
    for place in held:
        draft.total[node, table.label[place]] -= change.weight[place]
    return old.end[origin] - old.start[origin] - len(held)  # type: ignore[no-any-return]


@kernel(borrows=True)
def _floor(node: int, origin: int, rules: Rules, old: Draft, change: Change, table: Table, draft: Draft) -> float:
    """Return the old gain below which no cut can win now, as long as the old best cut is still allowed.

    Leaving rows of summed weight W move each gain by at most W, so the best and its challenger by at most 2 W apart.
    """
    feature, left, lost = old.feature[origin], 0, 0
    if feature < 0:
        return -np.inf
    held = change.places[draft.gone_start[node] : draft.gone_end[node]]
    for place in held:
        left += table.codes[feature, place] <= old.low[origin]
        lost += change.weight[place]
    rows_left = old.rows_left[origin]
    rows_right = old.end[origin] - old.start[origin] - rows_left
    if rows_left - left < rules.min_leaf or rows_right - (len(held) - left) < rules.min_leaf:
        return -np.inf
    return float(old.gain[origin] - 2.0 * lost - 1e-6)  # the last for rounding


@kernel(borrows=True)
def _next(draft: Draft, last: int, count: int, rules: Rules) -> int:
    """Return the node to split next, or -1: the one to gain most, the first of equals.

    Without a limit on leaves all are split, so that they come in turn.
    """
    if count + 1 >= 2 * rules.max_leaves:
        return -1
    if rules.max_leaves >= len(draft.rows):
        for node in range(last + 1, count):
            if draft.gain[node] >= 0:
                return node
        return -1
    best, gain = -1, -1.0
    for node in range(count):
        if draft.child[node] < 0 and draft.gain[node] > gain:
            best, gain = node, draft.gain[node]
    return best


@kernel(borrows=True)
def _split(
    node: int,
    left: int,
    top: int,
    table: Table,
    weight: NDArray[np.int64],
    old: Draft,
    change: Change,
    draft: Draft,
) -> int:
    """Make the children ``left`` and ``left + 1``; return how much of ``draft.rows`` is taken."""
    draft.child[node] = left
    origin = draft.origin[node]
    codes = table.codes[draft.feature[node]]
    for side in range(2):
        draft.depth[left + side] = draft.depth[node] + 1
        draft.key[left + side] = extend(draft.key[node], side)
    if origin >= 0 and _same_children(node, origin, codes, old, change, draft):
        for side in range(2):
            draft.origin[left + side] = old.child[origin] + side
        return top
    if origin >= 0:
        top = _own_rows(node, old.rows[old.start[origin] : old.end[origin]], weight, top, draft)
    start, end = draft.start[node], draft.end[node]
    middle = start + _partition(draft.rows[start:end], codes, draft.low[node])
    _children(left, start, middle, end, draft.start, draft.end)
    _children(left, 0, 0, 0, draft.gone_start, draft.gone_end)
    draft.origin[left] = draft.origin[left + 1] = -1
    return top


@kernel(borrows=True)
def _same_children(node: int, origin: int, codes: NDArray[np.int32], old: Draft, change: Change, draft: Draft) -> bool:
    """Return whether the node's cut sends the rows that stayed where the old one's did; hand down those gone if so.

    Both cuts take the lowest of the same ranking, so the same number on the left means the same rows.
    """
    if old.child[origin] < 0 or old.feature[origin] != draft.feature[node]:
        return False
    start, end = draft.gone_start[node], draft.gone_end[node]
    left = _partition(change.places[start:end], codes, old.low[origin])
    _children(draft.child[node], start, start + left, end, draft.gone_start, draft.gone_end)
    return bool(draft.rows_left[node] == old.rows_left[origin] - left)


@kernel(borrows=True)
def _children(left: int, start: int, middle: int, end: int, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> None:
    starts[left], ends[left], starts[left + 1], ends[left + 1] = start, middle, middle, end


@kernel(borrows=True)
def _partition(places: NDArray[np.int32], codes: NDArray[np.int32], low: int) -> int:
    """Move the places with a rank up to ``low`` to the front; return how many there are."""
    front = 0
    for i in range(len(places)):
        place = places[i]
        if codes[place] <= low:
            places[i], places[front] = places[front], place
            front += 1
    return front
