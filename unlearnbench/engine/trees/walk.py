"""Where records end up in trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.ensemble import Nodes


@kernel(borrows=True)
def descend(nodes: Nodes, root: int, row: NDArray[np.float32]) -> int:
    """Return the leaf, or link, that one record ``row`` (d,) reaches from ``root``."""
    node = root
    while nodes.feature[node] >= 0:
        node = nodes.child[node] + (row[nodes.feature[node]] > nodes.threshold[node])
    return node


@kernel()
def leaves(nodes: Nodes, roots: NDArray[np.int64], x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the node (K, n) in which each row of ``x`` (n, d) ends, for each of the trees at ``roots`` (K,)."""
    found = np.empty((len(roots), len(x)), dtype=np.int64)
    for k in range(len(roots)):
        for i in range(len(x)):
            found[k, i] = descend(nodes, roots[k], x[i])
    return found
