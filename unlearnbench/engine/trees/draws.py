"""The random draws of trees, keyed so that deleting a record moves no other draw.

Bags are keyed by (seed, tree, record). The order in which a node tries the features is keyed by the node's path from
the root: no generator runs on from node to node, so what a node draws does not depend on what was grown before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.seeding import keyed_bits, keyed_uniforms
from unlearnbench.engine.jit import kernel

_TREE, _BAG = 0, 1  # purposes, so that a tree's seed and its bag share no draw
# P(count <= k) of a Poisson(1) for k = 0..18, beyond which a 53-bit uniform cannot tell it from 1.
_POISSON = np.cumsum(np.exp(-1.0) / np.cumprod(np.maximum(np.arange(19.0), 1.0)))

# The constants of SplitMix64.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_DRAW = 2  # the first part of a key that is a draw: parts 0 and 1 are the sides of a split


def tree_seed(seed: int, tree: int) -> int:
    """Return the 32-bit seed of a tree's feature draws."""
    return int(tree_keys(seed, tree)) >> 32


def tree_keys(seed: int, tree: ArrayLike) -> NDArray[np.uint64]:
    """Return the 64-bit key of each tree's feature draws."""
    return keyed_bits(seed, _TREE, tree)


def bag_weights(seed: int, tree: ArrayLike, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each record (n,) is in a tree's bag: Poisson(1), keyed by (seed, tree, record id).

    ``tree`` may be a column (T, 1) of trees; the counts are then (T, n).

    A bootstrap of n rows gives each record a Binomial(n, 1/n) count, whose limit this is, but its counts sum to n: if
    a record is deleted, all other counts are drawn again. Here they stay (online bagging, Oza and Russell 2001).
    """
    return np.searchsorted(_POISSON, keyed_uniforms(seed, _BAG, tree, ids), side="right")


@kernel(borrows=True)
def scramble(z: np.uint64) -> np.uint64:
    """Scramble a word (SplitMix64), as ``core.seeding`` does."""
    z = (z ^ (z >> _S30)) * _A
    z = (z ^ (z >> _S27)) * _B
    return z ^ (z >> _S31)


@kernel(borrows=True)
def extend(key: np.uint64, part: int) -> np.uint64:
    """Return the key with one more part: ``extend(keyed_bits(seed, a), b)`` is ``keyed_bits(seed, a, b)``."""
    return scramble((key ^ scramble(np.uint64(part) + _GOLDEN)) + _GOLDEN)


@kernel(borrows=True)
def draw(order: NDArray[np.int32], key: np.uint64, i: int) -> int:
    """Move the ``i``-th feature drawn without replacement (Fisher and Yates) to ``order[i]`` and return it.

    ``order`` must be ``0, 1, ...`` before the first draw.
    """
    j = i + np.int64(extend(key, _DRAW + i) % np.uint64(len(order) - i))
    order[i], order[j] = order[j], order[i]
    return order[i]  # type: ignore[no-any-return]
