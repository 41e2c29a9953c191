"""Which records are images, and how big they must be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from unlearnbench import UserError

SMALLEST = 16
"""Pixels of the shorter side; smaller images are enlarged to it.

The networks divide a small image's sides by 8: two pixels each way are left, so that batch normalization has
variances to take even of a batch of one record.
"""

SMALL = 64
"""Images whose shorter side has fewer pixels than these meet a stem that keeps their size."""


def images(x: NDArray[np.float64], model: str) -> NDArray[np.float64]:
    """Return records as images (n, height, width, 1 or 3 channels); a UserError where they are none."""
    if x.ndim not in (3, 4):
        raise UserError(
            f"{model} needs images: records of shape (height, width) or (height, width, channels), "
            f"not {x.shape[1:]}; for such features take mlp"
        )
    grid = x if x.ndim == 4 else x[..., np.newaxis]
    if grid.shape[3] not in (1, 3):
        raise UserError(f"{model} needs images of 1 or 3 channels, the last dimension, not of {grid.shape[3]}")
    return grid


def enlarged(height: int, width: int) -> tuple[int, int]:
    """Return the size at which images of this size go through a network."""
    factor = max(1.0, SMALLEST / min(height, width))
    return round(height * factor), round(width * factor)


def is_small(height: int, width: int) -> bool:
    """Say whether images of this size need a stem that keeps their size."""
    return min(height, width) < SMALL
