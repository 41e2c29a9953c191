"""What many forests answer that have most of their trees in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.tree_grove import Grove, Nodes
from unlearnbench.engine.tree_grow import LINK
from unlearnbench.engine.tree_walk import descend


@kernel()
def add_up(
    grove: Grove, shares: NDArray[np.int64], x: NDArray[np.float32], which: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the sum (len(which), n, C) over trees of the ``shares`` (m, C) of the nodes that ``x`` (n, d) reaches."""
    base = np.zeros((len(x), shares.shape[1]), dtype=np.int64)
    total = np.zeros((len(which), len(x), shares.shape[1]), dtype=np.int64)
    reached = np.empty(len(x), dtype=np.int64)
    for t in range(len(grove.roots)):
        _add_base(grove.nodes, grove.roots[t], shares, x, reached, base)
        for k in range(len(which)):
            if grove.patches[t, which[k]] >= 0:
                _add_change(grove.nodes, grove.roots[t], grove.patches[t, which[k]], shares, x, reached, total[k])
    for k in range(len(which)):
        for i in range(len(x)):
            for c in range(shares.shape[1]):
                total[k, i, c] += base[i, c]
    return total


@kernel(borrows=True)
def _add_base(
    nodes: Nodes,
    root: int,
    shares: NDArray[np.int64],
    x: NDArray[np.float32],
    reached: NDArray[np.int64],
    base: NDArray[np.int64],
) -> None:
    """Add what a tree of the base set answers, and note the leaf ``reached`` (n,)."""
    for i in range(len(x)):
        reached[i] = descend(nodes, root, x[i])
        for c in range(shares.shape[1]):
            base[i, c] += shares[reached[i], c]


@kernel(borrows=True)
def _add_change(
    nodes: Nodes,
    old: int,
    root: int,
    shares: NDArray[np.int64],
    x: NDArray[np.float32],
    reached: NDArray[np.int64],
    change: NDArray[np.int64],
) -> None:
    """Add how a tree's new form answers otherwise than the ``old`` one.

    A link need not lead to the leaf reached before: above it, thresholds may have moved past this record.
    """
    for i in range(len(x)):
        node = descend(nodes, root, x[i])
        if nodes.feature[node] == LINK:
            node = descend(nodes, old + nodes.child[node], x[i])
        if node != reached[i]:
            for c in range(shares.shape[1]):
                change[i, c] += shares[node, c] - shares[reached[i], c]
