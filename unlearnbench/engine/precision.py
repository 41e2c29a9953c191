"""Features in the precision in which a model computes; a number that it cannot hold is refused, and never infinite."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError


def in_float32(table: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return features (n, d) as float32, rows contiguous; UserError where one is too large."""
    with np.errstate(over="ignore"):
        rounded = np.ascontiguousarray(table, dtype=np.float32)
    require_held(table, np.isfinite(rounded), "too large for this model, which computes in float32 (up to 3.4e38)")
    return rounded


def require_held(table: NDArray[np.float64], held: NDArray[np.bool_], problem: str) -> None:
    """Raise :class:`UserError` with the first number of ``table`` (n, d) that is not ``held`` (n, d)."""
    for row, feature in np.argwhere(~held)[:1].tolist() if not held.all() else ():
        raise UserError(
            f"feature {feature} is {table[row, feature]:.3g}, {problem}; rescale the feature, or code missing values "
            "by a smaller number"
        )
