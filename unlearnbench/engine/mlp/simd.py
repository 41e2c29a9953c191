"""Sixteen float32 numbers at a time: the vocabulary of the kernels for networks.

LLVM vectorizes a loop around a sum only where it may reorder the sum, and then bits depend on the processor. Here the
vector is spelled out: every lane is a sum of its own, in the order written, with fused multiply-adds where they are
written and nowhere else. A processor with narrower registers uses several of them and gets the same bits.

The functions here are names; :mod:`unlearnbench.engine.mlp.simd_code` says what they are to LLVM.
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

ROWS = 4
"""Rows of a tile in a matrix product: matrices have a multiple of it. With two vectors of columns a tile has 8 sums in
registers, enough to hide the latency of an fma; where there are 16 registers of half the lanes, some spill."""

Floats = NDArray[np.float32]


class Lanes:
    """Sixteen numbers; the arithmetic is lane by lane."""

    def __add__(self, other: Lanes) -> Lanes:
        _compiled_only()

    def __sub__(self, other: Lanes) -> Lanes:
        _compiled_only()

    def __mul__(self, other: Lanes) -> Lanes:
        _compiled_only()

    def __truediv__(self, other: Lanes) -> Lanes:
        _compiled_only()


def load(array: Floats, at: int) -> Lanes:
    """Return ``array[at : at + 16]``; nobody checks that it is within the array."""
    _compiled_only()


def store(array: Floats, at: int, lanes: Lanes) -> None:
    """Set ``array[at : at + 16]``."""
    _compiled_only()


def spread(array: Floats, at: int) -> Lanes:
    """Return ``array[at]`` in every lane."""
    _compiled_only()


def fill(number: np.float32) -> Lanes:
    """Return one number in every lane."""
    _compiled_only()


def fma(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Return a * b + c, rounded once."""
    _compiled_only()


def root(a: Lanes) -> Lanes:
    """Return square roots."""
    _compiled_only()


def where_positive(a: Lanes, b: Lanes) -> Lanes:
    """Return ``b`` where ``a`` is positive or not a number, so that those travel on, and 0 elsewhere."""
    _compiled_only()


def total(a: Lanes) -> np.float32:
    """Return the sum of all lanes, added by halves."""
    _compiled_only()


@kernel(borrows=True)
def whole(count: int) -> int:
    """Return ``count`` rounded up to whole lanes."""
    return (count + LANES - 1) // LANES * LANES


def _compiled_only() -> NoReturn:
    raise NotImplementedError("lanes exist in compiled code only")


def ready() -> None:
    """Teach numba this vocabulary; to be called before any kernel that uses it."""
    import_module("unlearnbench.engine.mlp.simd_code")
