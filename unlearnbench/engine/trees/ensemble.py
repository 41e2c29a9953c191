"""Trees by the thousand: some trees on one set of records, and each again without some of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, Draft, Rules, draft_for, work_for
from unlearnbench.engine.trees.growth import LINK, grow
from unlearnbench.engine.trees.table import Table

LEAF = -1


class Nodes(NamedTuple):
    """Nodes of many trees (m,), those of each in a run.

    ``feature``: split on, or LEAF, or LINK · ``threshold``: values up to it go left · ``child``: the left one, the
    right one follows it; of a link, the node of the old tree, counted from its root · ``share`` (m, C): class shares.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    child: NDArray[np.int64]
    share: NDArray[np.float64]


class Grove(NamedTuple):
    """Grown trees: ``nodes``, the root of each (T,), and of its form for each request (T, K), -1 where unchanged."""

    nodes: Nodes
    roots: NDArray[np.int64]
    patches: NDArray[np.int64]


class Requests(NamedTuple):
    """K sets of table rows to do without: set ``k`` is ``rows[first[k]:first[k + 1]]``; ``keys`` (K, T)."""

    first: NDArray[np.int64]
    rows: NDArray[np.int32]
    keys: NDArray[np.uint64]


def requests_of(gone: Sequence[NDArray[np.int64]], keys: NDArray[np.uint64]) -> Requests:
    """Return these sets of rows, packed."""
    first = np.cumsum([0, *map(len, gone)], dtype=np.int64)
    return Requests(first, np.concatenate([np.empty(0, dtype=np.int32), *gone]).astype(np.int32), keys)


@kernel()
def grow_grove(
    table: Table,
    weights: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    requests: Requests,
    rules: Rules,
) -> Grove:
    """Grow one tree for each row of ``weights`` (T, n) and ``keys`` (T,), and each again for every request.

    A tree that keeps its rows and its key gets no new form. With ``rules.linked``, new forms hold only what changed.
    """
    n_trees, n = weights.shape
    n_requests = len(requests.first) - 1
    roots, patches = np.empty(n_trees, dtype=np.int64), np.full((n_trees, n_requests), -1, dtype=np.int64)
    tree, patch = draft_for(table, rules, n_requests > 0), draft_for(table, rules, False)
    work, places = work_for(table), np.empty(n, dtype=np.int32)
    nodes, used = _room(2 * len(tree.feature), table.n_classes), 0
    for t in range(n_trees):
        weight = weights[t].astype(np.int64)
        change = Change(places[:0], weight, True, False)
        count = grow(table, weight, keys[t], rules, tree, change, tree, work)
        nodes = _with_room(nodes, used, count)
        roots[t], used = used, _write(tree, count, table, nodes, used)
        left = weight.copy()
        for k in range(n_requests):
            held = _take(requests.rows[requests.first[k] : requests.first[k + 1]], left, places)
            key = requests.keys[k, t]
            if held or key != keys[t]:
                change = Change(places[:held], weight, False, key != keys[t])
                count = grow(table, left, key, rules, tree, change, patch, work)
                nodes = _with_room(nodes, used, count)
                patches[t, k], used = used, _write(patch, count, table, nodes, used)
                for place in places[:held]:
                    left[place] = weight[place]
    return Grove(_first(nodes, used), roots, patches)


@kernel(borrows=True)
def _take(rows: NDArray[np.int32], left: NDArray[np.int64], places: NDArray[np.int32]) -> int:
    """Set to 0 the weight of those of ``rows`` that weigh something, and list them in ``places``; count them."""
    held = 0
    for row in rows:
        if left[row]:
            places[held], left[row] = row, 0
            held += 1
    return held


@kernel()
def _room(size: int, n_classes: int) -> Nodes:
    return Nodes(
        np.empty(size, dtype=np.int32),
        np.empty(size, dtype=np.float64),
        np.empty(size, dtype=np.int64),
        np.empty((size, n_classes), dtype=np.float64),
    )


@kernel()
def _first(nodes: Nodes, count: int) -> Nodes:
    """Return a copy of the first nodes."""
    return Nodes(
        nodes.feature[:count].copy(),
        nodes.threshold[:count].copy(),
        nodes.child[:count].copy(),
        nodes.share[:count].copy(),
    )


@kernel()
def _with_room(nodes: Nodes, used: int, count: int) -> Nodes:
    """Return ``nodes``, or where ``count`` more would not fit, a copy with twice the room."""
    if used + count <= len(nodes.feature):
        return nodes
    more = _room(2 * (used + count), nodes.share.shape[1])
    for i in range(used):
        more.feature[i], more.threshold[i], more.child[i] = nodes.feature[i], nodes.threshold[i], nodes.child[i]
        for c in range(nodes.share.shape[1]):
            more.share[i, c] = nodes.share[i, c]
    return more


@kernel(borrows=True)
def _write(draft: Draft, count: int, table: Table, nodes: Nodes, used: int) -> int:
    """Write the finished tree behind the nodes in use; return how many are in use then."""
    for node in range(count):
        at = used + node
        nodes.feature[at], nodes.threshold[at], nodes.child[at] = LEAF, 0.0, -1
        if draft.feature[node] == LINK:
            nodes.feature[at], nodes.child[at] = LINK, draft.child[node]
            for c in range(table.n_classes):
                nodes.share[at, c] = 0.0
            continue
        if draft.child[node] >= 0:
            nodes.feature[at] = draft.feature[node]
            nodes.threshold[at] = _middle(table, draft.feature[node], draft.low[node], draft.high[node])
            nodes.child[at] = used + draft.child[node]
        _shares(draft.total[node], nodes.share[at])
    return used + count


@kernel(borrows=True)
def _middle(table: Table, feature: int, low: int, high: int) -> float:
    """Return the number halfway between two values; halved first, as their sum may be too large."""
    first = table.first[feature]
    return np.float64(table.values[first + low]) / 2 + np.float64(table.values[first + high]) / 2


@kernel(borrows=True)
def _shares(total: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    """Write the class shares; a tree that has seen nothing knows nothing, and says the same of all classes."""
    weight = total.sum()
    for c in range(len(total)):
        share[c] = total[c] / weight if weight else 1.0 / len(total)
