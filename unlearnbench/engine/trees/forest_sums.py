"""The answers of many forests that have most of their trees in common.

All records are sorted into a tree once, so that the records below any of its nodes stand side by side. A variant of the
tree is then compared with the tree from the root down. Where both have the same split, or the variant links to the
tree, all records below are handled, or skipped, at once. Only records that reach another leaf change the sum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.nodes import LINK, Nodes, TreeEnsemble, find_leaf


class SortedRecords(NamedTuple):
    """The records (n,) sorted into one tree, and working space; indices of nodes are those of ``Nodes`` (m,)."""

    rows: NDArray[np.int64]
    """(n,): the records; those below a node stand side by side."""
    first: NDArray[np.int64]
    """(m,): where the records below each node begin in ``rows``."""
    last: NDArray[np.int64]
    """(m,): where they end."""
    leaf: NDArray[np.int64]
    """(n,): the leaf that each record reaches."""
    spare: NDArray[np.int64]
    """(n,): space for the records that go right at a split."""
    new_stack: NDArray[np.int64]
    """(m,): the nodes still to visit; of the variant, where one is compared."""
    old_stack: NDArray[np.int64]
    """(m,): the node of the tree that each of ``new_stack`` is compared with."""


@kernel()
def add_up(
    ensemble: TreeEnsemble, shares: NDArray[np.int64], x: NDArray[np.float32], which: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the sum (len(which), n, C) over trees of the ``shares`` (m, C) of the nodes that ``x`` (n, d) reaches.

    ``which`` are requests. A sum is that of the trees, plus what the request's variants change. Shares are whole
    numbers, so both orders of summation give the same bits.
    """
    base = np.zeros((len(x), shares.shape[1]), dtype=np.int64)
    total = np.zeros((len(which), len(x), shares.shape[1]), dtype=np.int64)
    columns = x.T.copy()  # a split reads one feature of many records
    space = _space_for(len(x), len(ensemble.nodes.feature))
    for t in range(len(ensemble.roots)):
        root = ensemble.roots[t]
        _sort_into(ensemble.nodes, root, shares, columns, space, base)
        for k in range(len(which)):
            variant = ensemble.variants[t, which[k]]
            if variant >= 0:
                _add_change(ensemble.nodes, root, variant, shares, x, space, total[k])
    for k in range(len(which)):
        for i in range(len(x)):
            for c in range(shares.shape[1]):
                total[k, i, c] += base[i, c]
    return total


@kernel()
def _space_for(n: int, n_nodes: int) -> SortedRecords:
    return SortedRecords(
        np.empty(n, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty(n, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int64),
        np.empty(n_nodes, dtype=np.int64),
    )


@kernel(borrows=True)
def _sort_into(
    nodes: Nodes,
    root: int,
    shares: NDArray[np.int64],
    columns: NDArray[np.float32],
    space: SortedRecords,
    base: NDArray[np.int64],
) -> None:
    """Sort all records into the tree at ``root``, and add the shares of their leaves to ``base`` (n, C)."""
    for i in range(len(space.rows)):
        space.rows[i] = i
    space.first[root], space.last[root], space.new_stack[0], waiting = 0, len(space.rows), root, 1
    while waiting:
        waiting -= 1
        node = space.new_stack[waiting]
        start, stop = space.first[node], space.last[node]
        if start == stop:
            continue
        if nodes.feature[node] < 0:
            for i in space.rows[start:stop]:
                space.leaf[i] = node
                for c in range(shares.shape[1]):
                    base[i, c] += shares[node, c]
            continue
        middle = _partition(space, start, stop, columns[nodes.feature[node]], nodes.threshold[node])
        left = nodes.child[node]
        space.first[left], space.last[left], space.new_stack[waiting] = start, middle, left
        space.first[left + 1], space.last[left + 1], space.new_stack[waiting + 1] = middle, stop, left + 1
        waiting += 2


@kernel(borrows=True)
def _partition(space: SortedRecords, start: int, stop: int, column: NDArray[np.float32], threshold: float) -> int:
    """Put those of ``rows[start:stop]`` that go left before those that go right; return where the latter begin."""
    left, right = start, 0
    # Each record is written to both sides and stays on one: that is faster than a branch, which is mispredicted often.
    for j in range(start, stop):
        i = space.rows[j]
        over = column[i] > threshold
        space.rows[left], space.spare[right] = i, i
        left, right = left + (not over), right + over
    for j in range(right):
        space.rows[left + j] = space.spare[j]
    return left


@kernel(borrows=True)
def _add_change(
    nodes: Nodes,
    root: int,
    variant: int,
    shares: NDArray[np.int64],
    x: NDArray[np.float32],
    space: SortedRecords,
    change: NDArray[np.int64],
) -> None:
    """Add to ``change`` (n, C) the shares by the variant at ``variant`` less those by the tree at ``root``."""
    space.new_stack[0], space.old_stack[0], waiting = variant, root, 1
    while waiting:
        waiting -= 1
        new, old = space.new_stack[waiting], space.old_stack[waiting]
        start, stop = space.first[old], space.last[old]
        # No records below, or a link to this very node: nothing changes.
        if start == stop or (nodes.feature[new] == LINK and root + nodes.child[new] == old):
            continue
        # The same split: compare the children.
        split = nodes.feature[new] >= 0 and nodes.feature[new] == nodes.feature[old]
        if split and nodes.threshold[new] == nodes.threshold[old]:
            for side in range(2):
                space.new_stack[waiting], space.old_stack[waiting] = nodes.child[new] + side, nodes.child[old] + side
                waiting += 1
            continue
        # Another split, or a leaf: find the new leaf of each record below.
        for i in space.rows[start:stop]:
            leaf = _leaf_of_variant(nodes, root, new, x[i])
            for c in range(shares.shape[1]):
                change[i, c] += shares[leaf, c] - shares[space.leaf[i], c]


@kernel(borrows=True)
def _leaf_of_variant(nodes: Nodes, root: int, new: int, row: NDArray[np.float32]) -> int:
    """Return the leaf that a record reaches from the node ``new`` of a variant; after a link, in the tree itself."""
    node = find_leaf(nodes, new, row)
    return find_leaf(nodes, root + nodes.child[node], row) if nodes.feature[node] == LINK else node
