"""Vectors of sixteen float32 numbers: what the kernels for networks are written in.

LLVM vectorizes a loop around a sum only where it may reorder the sum, and then the bits depend on the processor. Here
vectors are explicit: every lane is a sum of its own, in the order written, with fused multiply-adds where they are
written and nowhere else. A processor with narrower registers uses several of them and gets the same bits.

The functions here are signatures; :mod:`unlearnbench.engine.mlp.simd_code` has their LLVM code.
"""

# ruff: noqa: ARG001 - the functions here are signatures

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel

KERNEL_SOURCES = (Path(__file__).with_name("simd_code.py"),)
"""Read by :mod:`unlearnbench.engine.jit`: kernels that use these functions are compiled again when it changes."""

LANES = 16
"""The numbers in a vector."""

ROWS = 4
"""The rows of a tile in a matrix product; matrices have a multiple of it.

With two vectors of columns a tile has 8 sums in registers, enough to hide the latency of a multiply-add. On processors
with 16 registers of 8 lanes some sums are spilled to memory.
"""

Floats = NDArray[np.float32]


class Simd16:
    """A vector of sixteen float32; arithmetic is lane by lane."""

    def __add__(self, other: Simd16) -> Simd16:
        _compiled_only()

    def __sub__(self, other: Simd16) -> Simd16:
        _compiled_only()

    def __mul__(self, other: Simd16) -> Simd16:
        _compiled_only()

    def __truediv__(self, other: Simd16) -> Simd16:
        _compiled_only()


def load(array: Floats, at: int) -> Simd16:
    """Return ``array[at : at + 16]``. Bounds are not checked."""
    _compiled_only()


def store(array: Floats, at: int, vector: Simd16) -> None:
    """Set ``array[at : at + 16]``. Bounds are not checked."""
    _compiled_only()


def broadcast(array: Floats, at: int) -> Simd16:
    """Return ``array[at]`` in every lane. Bounds are not checked."""
    _compiled_only()


def splat(number: np.float32) -> Simd16:
    """Return one number in every lane."""
    _compiled_only()


def fma(a: Simd16, b: Simd16, c: Simd16) -> Simd16:
    """Return a * b + c, rounded once."""
    _compiled_only()


def sqrt(a: Simd16) -> Simd16:
    """Return the square roots."""
    _compiled_only()


def where_positive(a: Simd16, b: Simd16) -> Simd16:
    """Return ``b`` where ``a`` is positive or nan, so that nan is not hidden, and 0 elsewhere."""
    _compiled_only()


def reduce_add(a: Simd16) -> np.float32:
    """Return the sum of all lanes, added by halves."""
    _compiled_only()


@kernel(borrows=True)
def round_up(count: int) -> int:
    """Return ``count`` rounded up to a multiple of ``LANES``."""
    return (count + LANES - 1) // LANES * LANES


def _compiled_only() -> NoReturn:
    raise NotImplementedError("vectors exist in compiled code only")


def register() -> None:
    """Register the LLVM code of these functions with numba; call it before any kernel that uses them."""
    import_module("unlearnbench.engine.mlp.simd_code")
