"""The order in which a node tries the features, keyed by the node's path from the root.

No generator runs on from node to node, so what a node draws does not depend on what was grown before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)
_DRAW = 2  # 0 and 1 are the sides of a split


@kernel(borrows=True)
def scramble(z: np.uint64) -> np.uint64:
    """Scramble a word (SplitMix64), as ``core.seeding`` does."""
    z = (z ^ (z >> _S30)) * _A
    z = (z ^ (z >> _S27)) * _B
    return z ^ (z >> _S31)


@kernel(borrows=True)
def extend(key: np.uint64, part: int) -> np.uint64:
    """Return the key one part further: ``extend(keyed_bits(seed, a), b)`` is ``keyed_bits(seed, a, b)``."""
    return scramble((key ^ scramble(np.uint64(part) + _GOLDEN)) + _GOLDEN)


@kernel(borrows=True)
def draw(order: NDArray[np.int32], key: np.uint64, i: int) -> int:
    """Move the ``i``-th feature drawn without replacement (Fisher and Yates) to ``order[i]`` and return it.

    ``order`` must be ``0, 1, ...`` before the first draw.
    """
    j = i + np.int64(extend(key, _DRAW + i) % np.uint64(len(order) - i))
    order[i], order[j] = order[j], order[i]
    return order[i]  # type: ignore[no-any-return]
