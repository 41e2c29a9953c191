"""What many forests answer that have most of their trees in common.

Records are sorted into a tree once, so that those below any of its nodes stand side by side. A new form of the tree is
then held against the old one from the root down: where both are the same, all records below are passed over at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.ensemble import Grove, Nodes
from unlearnbench.engine.trees.growth import LINK
from unlearnbench.engine.trees.walk import descend


class Sorted(NamedTuple):
    """The records in one tree: those below node ``m`` are ``rows[first[m]:last[m]]``; ``leaf`` (n,) of each.

    ``spare`` (n,), ``todo`` and ``held`` are room to work in.
    """

    rows: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    leaf: NDArray[np.int64]
    spare: NDArray[np.int64]
    todo: NDArray[np.int64]
    held: NDArray[np.int64]


@kernel()
def add_up(
    grove: Grove, shares: NDArray[np.int64], x: NDArray[np.float32], which: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the sum (len(which), n, C) over trees of the ``shares`` (m, C) of the nodes that ``x`` (n, d) reaches."""
    base = np.zeros((len(x), shares.shape[1]), dtype=np.int64)
    total = np.zeros((len(which), len(x), shares.shape[1]), dtype=np.int64)
    columns = x.T.copy()
    here = _room_for(len(x), len(grove.nodes.feature))
    for t in range(len(grove.roots)):
        _sort_into(grove.nodes, grove.roots[t], shares, columns, here, base)
        for k in range(len(which)):
            if grove.patches[t, which[k]] >= 0:
                _add_change(grove.nodes, grove.roots[t], grove.patches[t, which[k]], shares, x, here, total[k])
    for k in range(len(which)):
        for i in range(len(x)):
            for c in range(shares.shape[1]):
                total[k, i, c] += base[i, c]
    return total


@kernel()
def _room_for(n: int, n_nodes: int) -> Sorted:
    return Sorted(
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
    here: Sorted,
    base: NDArray[np.int64],
) -> None:
    """Sort all records into the tree at ``root``, node by node, and add what it answers to ``base`` (n, C)."""
    for i in range(len(here.rows)):
        here.rows[i] = i
    here.first[root], here.last[root], here.todo[0], waiting = 0, len(here.rows), root, 1
    while waiting:
        waiting -= 1
        node = here.todo[waiting]
        start, stop = here.first[node], here.last[node]
        if start == stop:
            continue
        if nodes.feature[node] < 0:
            for i in here.rows[start:stop]:
                here.leaf[i] = node
                for c in range(shares.shape[1]):
                    base[i, c] += shares[node, c]
            continue
        middle = _part(here, start, stop, columns[nodes.feature[node]], nodes.threshold[node])
        left = nodes.child[node]
        here.first[left], here.last[left], here.todo[waiting] = start, middle, left
        here.first[left + 1], here.last[left + 1], here.todo[waiting + 1] = middle, stop, left + 1
        waiting += 2


@kernel(borrows=True)
def _part(here: Sorted, start: int, stop: int, column: NDArray[np.float32], threshold: float) -> int:
    """Put those of ``rows[start:stop]`` that go left before those that go right; return where these begin."""
    left, right = start, 0
    for j in range(start, stop):  # each is written to both sides and stays on one: cheaper than a branch guessed wrong
        i = here.rows[j]
        over = column[i] > threshold
        here.rows[left], here.spare[right] = i, i
        left, right = left + (not over), right + over
    for j in range(right):
        here.rows[left + j] = here.spare[j]
    return left


@kernel(borrows=True)
def _add_change(
    nodes: Nodes,
    root: int,
    patch: int,
    shares: NDArray[np.int64],
    x: NDArray[np.float32],
    here: Sorted,
    change: NDArray[np.int64],
) -> None:
    """Add to ``change`` (n, C) how the new form ``patch`` answers otherwise than the tree at ``root``."""
    here.todo[0], here.held[0], waiting = patch, root, 1
    while waiting:
        waiting -= 1
        new, old = here.todo[waiting], here.held[waiting]
        start, stop = here.first[old], here.last[old]
        if start == stop or (nodes.feature[new] == LINK and root + nodes.child[new] == old):
            continue
        split = nodes.feature[new] >= 0 and nodes.feature[new] == nodes.feature[old]
        if split and nodes.threshold[new] == nodes.threshold[old]:
            for side in range(2):
                here.todo[waiting], here.held[waiting] = nodes.child[new] + side, nodes.child[old] + side
                waiting += 1
            continue
        for i in here.rows[start:stop]:
            leaf = _leaf(nodes, root, new, x[i])
            for c in range(shares.shape[1]):
                change[i, c] += shares[leaf, c] - shares[here.leaf[i], c]


@kernel(borrows=True)
def _leaf(nodes: Nodes, root: int, new: int, row: NDArray[np.float32]) -> int:
    """Return the leaf that a record reaches from the node ``new`` of a new form, on in the old tree where it links."""
    node = descend(nodes, new, row)
    return descend(nodes, root + nodes.child[node], row) if nodes.feature[node] == LINK else node
