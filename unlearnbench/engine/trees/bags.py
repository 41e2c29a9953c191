"""Bags that survive a deletion: every record's draw is its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.seeding import keyed_bits, keyed_uniforms

_TREE, _BAG = 0, 1  # purposes, so that a tree's seed and its bag share no draw
# P(count <= k) of a Poisson(1) for k = 0..18, beyond which a 53-bit uniform cannot tell it from 1.
_POISSON = np.cumsum(np.exp(-1.0) / np.cumprod(np.maximum(np.arange(19.0), 1.0)))


def tree_seed(seed: int, tree: int) -> int:
    """Return the 32-bit seed of a tree's feature draws."""
    return int(tree_keys(seed, tree)) >> 32


def tree_keys(seed: int, tree: ArrayLike) -> NDArray[np.uint64]:
    """Return the 64-bit key of each tree's feature draws."""
    return keyed_bits(seed, _TREE, tree)


def bag_weights(seed: int, tree: ArrayLike, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each record (n,) is in a tree's bag: Poisson(1), keyed by (seed, tree, record id).

    A bootstrap of n rows gives each record a Binomial(n, 1/n) count, whose limit this is, but ties all counts
    together: without one record every other draw moves. Here they stay (online bagging, Oza and Russell 2001).

    ``tree`` may be a column (T, 1) of trees; the counts are then (T, n).
    """
    return np.searchsorted(_POISSON, keyed_uniforms(seed, _BAG, tree, ids), side="right")
