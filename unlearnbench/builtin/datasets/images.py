"""Common parts of image data sets: the idx format, and draws of a subset of images."""

from __future__ import annotations

import gzip
import math
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.seeding import keyed_bits

Bytes = NDArray[np.uint8]


def read_idx(file: BinaryIO) -> Bytes:
    """Return the array of bytes in a gzipped idx file (LeCun et al. 1998, the MNIST page); a UserError for others."""
    content = gzip.decompress(file.read())
    dimensions = content[3] if len(content) > 3 else 0
    shape = tuple(np.frombuffer(content[4 : 4 + 4 * dimensions], ">u4").tolist())
    start = 4 + 4 * dimensions
    if content[:3] != b"\0\0\x08" or len(content) - start != math.prod(shape):
        raise UserError("is not an idx file of bytes", where=getattr(file, "name", None))
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def drawn(n: int, size: int | None) -> NDArray[np.int64]:
    """Return the rows (at most ``size``) drawn from ``range(n)``, in order; a smaller draw is part of a larger one.

    Records have 8 bytes per grey level, so all images would take gigabytes. The draw is a hash of the row, the same on
    every machine.
    """
    if size is None or size >= n:
        return np.arange(n)
    return np.sort(np.argsort(keyed_bits(0, np.arange(n)), kind="stable")[:size])


def share(kept: int, n: int) -> str:
    """Describe how many images were drawn, for a card."""
    return "all images" if kept == n else f"{kept:,} of {n:,} images, drawn by a fixed key"
