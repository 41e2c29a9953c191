"""Many trees on one set of records, and a variant of each for every request to remove some of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.builder import Change, GrowthLimits, TreeBuilder, builder_for, scratch_for
from unlearnbench.engine.trees.growth import grow
from unlearnbench.engine.trees.nodes import LEAF, LINK, Nodes, TreeEnsemble, first_nodes, new_nodes, with_space
from unlearnbench.engine.trees.table import Table


class Requests(NamedTuple):
    """K sets of table rows to remove, packed."""

    first: NDArray[np.int64]
    """(K + 1,): set ``k`` is ``rows[first[k]:first[k + 1]]``."""
    rows: NDArray[np.int32]
    """The rows of all sets."""
    keys: NDArray[np.uint64]
    """(K, T): the key of the feature draws of each tree's variant."""


def requests_of(removed: Sequence[NDArray[np.int64]], keys: NDArray[np.uint64]) -> Requests:
    """Return the requests to remove these sets of rows."""
    first = np.cumsum([0, *map(len, removed)], dtype=np.int64)
    return Requests(first, np.concatenate([np.empty(0, dtype=np.int32), *removed]).astype(np.int32), keys)


@kernel()
def grow_ensemble(
    table: Table,
    weights: NDArray[np.uint8],
    keys: NDArray[np.uint64],
    requests: Requests,
    limits: GrowthLimits,
) -> TreeEnsemble:
    """Grow one tree for each row of ``weights`` (T, n) and ``keys`` (T,), and a variant of it for every request.

    A tree that keeps its rows and its key has no variant. With ``limits.linked``, variants hold only what changed.

    The variants of a tree are grown right after it, while its builder holds the sorted cells of its nodes.
    """
    n_trees, n = weights.shape
    n_requests = len(requests.first) - 1
    roots, variants = np.empty(n_trees, dtype=np.int64), np.full((n_trees, n_requests), -1, dtype=np.int64)
    tree, variant = builder_for(table, limits, n_requests > 0), builder_for(table, limits, False)
    scratch, removed = scratch_for(table), np.empty(n, dtype=np.int32)
    nodes, used = new_nodes(2 * len(tree.feature), table.n_classes), 0
    for t in range(n_trees):
        weight = weights[t].astype(np.int64)
        change = Change(removed[:0], weight, True, False)
        count = grow(table, weight, keys[t], limits, tree, change, tree, scratch)
        nodes = with_space(nodes, used, count)
        roots[t], used = used, _write(tree, count, table, nodes, used)
        left = weight.copy()
        for k in range(n_requests):
            held = _take(requests.rows[requests.first[k] : requests.first[k + 1]], left, removed)
            key = requests.keys[k, t]
            if held or key != keys[t]:
                change = Change(removed[:held], weight, False, key != keys[t])
                count = grow(table, left, key, limits, tree, change, variant, scratch)
                nodes = with_space(nodes, used, count)
                variants[t, k], used = used, _write(variant, count, table, nodes, used)
                # The next request starts from all rows again.
                for row in removed[:held]:
                    left[row] = weight[row]
    return TreeEnsemble(first_nodes(nodes, used), roots, variants)


@kernel(borrows=True)
def _take(rows: NDArray[np.int32], left: NDArray[np.int64], removed: NDArray[np.int32]) -> int:
    """Set the weight in ``left`` of those of ``rows`` that have one to 0, list them in ``removed``, count them."""
    held = 0
    for row in rows:
        if left[row]:
            removed[held], left[row] = row, 0
            held += 1
    return held


@kernel(borrows=True)
def _write(builder: TreeBuilder, count: int, table: Table, nodes: Nodes, used: int) -> int:
    """Write the builder's ``count`` nodes behind the nodes in use; return how many are in use then."""
    for node in range(count):
        at = used + node
        nodes.feature[at], nodes.threshold[at], nodes.child[at] = LEAF, 0.0, -1
        if builder.feature[node] == LINK:
            nodes.feature[at], nodes.child[at] = LINK, builder.child[node]
            for c in range(table.n_classes):
                nodes.share[at, c] = 0.0
            continue
        if builder.child[node] >= 0:
            nodes.feature[at] = builder.feature[node]
            nodes.threshold[at] = _middle(table, builder.feature[node], builder.low[node], builder.high[node])
            nodes.child[at] = used + builder.child[node]
        _shares(builder.total[node], nodes.share[at])
    return used + count


@kernel(borrows=True)
def _middle(table: Table, feature: int, low: int, high: int) -> float:
    """Return the number halfway between two values; halved first, as their sum may be too large."""
    first = table.first[feature]
    return np.float64(table.values[first + low]) / 2 + np.float64(table.values[first + high]) / 2


@kernel(borrows=True)
def _shares(total: NDArray[np.int64], share: NDArray[np.float64]) -> None:
    """Write the class shares. An empty tree predicts the uniform distribution."""
    weight = total.sum()
    for c in range(len(total)):
        share[c] = total[c] / weight if weight else 1.0 / len(total)
