"""Finished trees as flat arrays of nodes, and the leaves that records reach in them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel

LEAF = -1
"""The ``feature`` of a leaf."""
LINK = -2
"""The ``feature`` of a node that stands for an unchanged node of the old tree, and all below it."""


class Nodes(NamedTuple):
    """Nodes of many trees (m,), those of one tree side by side, its root first."""

    feature: NDArray[np.int32]
    """The feature of the split; ``LEAF`` or ``LINK``."""
    threshold: NDArray[np.float64]
    """Values up to it go left."""
    child: NDArray[np.int64]
    """The left child, the right one follows it. Of a link, the old tree's node, counted from the old tree's root."""
    share: NDArray[np.float64]
    """(m, C): the share of each class in the node's weight."""


class TreeEnsemble(NamedTuple):
    """Trees (T,) and variants of each without some of the rows, one for each of K requests."""

    nodes: Nodes
    """The nodes of all."""
    roots: NDArray[np.int64]
    """(T,): the root of each tree."""
    variants: NDArray[np.int64]
    """(T, K): the root of each variant, or -1 where it is the tree itself."""


@kernel(borrows=True)
def find_leaf(nodes: Nodes, root: int, row: NDArray[np.float32]) -> int:
    """Return the leaf, or link, that one record ``row`` (d,) reaches from ``root``."""
    node = root
    while nodes.feature[node] >= 0:
        node = nodes.child[node] + (row[nodes.feature[node]] > nodes.threshold[node])
    return node


@kernel()
def find_leaves(nodes: Nodes, roots: NDArray[np.int64], x: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the node (K, n) that each row of ``x`` (n, d) reaches, for each of the trees at ``roots`` (K,)."""
    found = np.empty((len(roots), len(x)), dtype=np.int64)
    for k in range(len(roots)):
        for i in range(len(x)):
            found[k, i] = find_leaf(nodes, roots[k], x[i])
    return found


@kernel()
def new_nodes(size: int, n_classes: int) -> Nodes:
    """Return space for this many nodes."""
    return Nodes(
        np.empty(size, dtype=np.int32),
        np.empty(size, dtype=np.float64),
        np.empty(size, dtype=np.int64),
        np.empty((size, n_classes), dtype=np.float64),
    )


@kernel()
def first_nodes(nodes: Nodes, count: int) -> Nodes:
    """Return a copy of the first ``count`` nodes."""
    return Nodes(
        nodes.feature[:count].copy(),
        nodes.threshold[:count].copy(),
        nodes.child[:count].copy(),
        nodes.share[:count].copy(),
    )


@kernel()
def with_space(nodes: Nodes, used: int, count: int) -> Nodes:
    """Return ``nodes``, or where ``count`` more than ``used`` would not fit, a copy with twice the space needed."""
    if used + count <= len(nodes.feature):
        return nodes
    more = new_nodes(2 * (used + count), nodes.share.shape[1])
    for i in range(used):
        more.feature[i], more.threshold[i], more.child[i] = nodes.feature[i], nodes.threshold[i], nodes.child[i]
        for c in range(nodes.share.shape[1]):
            more.share[i, c] = nodes.share[i, c]
    return more
