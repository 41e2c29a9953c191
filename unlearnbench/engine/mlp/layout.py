"""Where everything about a network of given widths lies in flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.mlp.simd import LANES, ROWS, Floats

Layers = Sequence[tuple[Floats, Floats]]
"""The weights (out, in) and biases (out,) of each linear layer, as torch has them."""


class Layout(NamedTuple):
    """The places of the parameters and of the units of a network.

    ``width`` (L + 1,): units of each level · ``tall``: rounded up to rows of tiles · ``span``: rounded up to whole
    lanes; spare units have weights 0 and stay at 0. ``weight`` (L,): where the matrix (tall, span) of each layer begins
    · ``bias`` (L,): where its biases (span,) begin, right behind · ``size``: of all parameters, spare ones included ·
    ``unit`` (L + 1,): units before each level, spare ones included, of all ``units``.
    """

    width: NDArray[np.int64]
    tall: NDArray[np.int64]
    span: NDArray[np.int64]
    weight: NDArray[np.int64]
    bias: NDArray[np.int64]
    size: int
    unit: NDArray[np.int64]
    units: int


def layout_of(widths: Sequence[int]) -> Layout:
    """Return the layout of a network with these widths: features, hidden layers, classes."""
    span, tall = ([-(-width // whole) * whole for width in widths] for whole in (LANES, ROWS))
    weights = [fan_in * fan_out for fan_in, fan_out in zip(span[:-1], tall[1:], strict=True)]
    begin = list(accumulate((w + b for w, b in zip(weights, span[1:], strict=True)), initial=0))
    unit = list(accumulate(span, initial=0))
    weight = np.array(begin[:-1], dtype=np.int64)
    return Layout(
        width=np.array(widths, dtype=np.int64),
        tall=np.array(tall, dtype=np.int64),
        span=np.array(span, dtype=np.int64),
        weight=weight,
        bias=weight + np.array(weights, dtype=np.int64),
        size=begin[-1],
        unit=np.array(unit[:-1], dtype=np.int64),
        units=unit[-1],
    )


def pack(layout: Layout, layers: Layers, out: Floats) -> None:
    """Write the parameters into ``out`` (size,), which holds zeros."""
    for level, (weight, bias) in enumerate(layers):
        matrix, biases = _views(layout, level, out)
        matrix[:], biases[:] = weight, bias


def unpack(layout: Layout, flat: Floats) -> list[tuple[Floats, Floats]]:
    """Return copies of the parameters in ``flat`` (size,)."""
    views = (_views(layout, level, flat) for level in range(len(layout.weight)))
    return [(np.ascontiguousarray(matrix), biases.copy()) for matrix, biases in views]


def _views(layout: Layout, level: int, flat: Floats) -> tuple[Floats, Floats]:
    fan_in, fan_out = layout.width[level : level + 2]
    matrix = flat[layout.weight[level] : layout.bias[level]].reshape(-1, layout.span[level])[:fan_out, :fan_in]
    return matrix, flat[layout.bias[level] :][:fan_out]


def rows_in_lanes(x: NDArray[np.float64]) -> Floats:
    """Return rows (n, d) one after the other as float32, each filled up with zeros to whole lanes."""
    n, d = x.shape
    span = -(-d // LANES) * LANES
    rows = aligned(n * span)
    rows.reshape(n, span)[:, :d] = x
    return rows


def aligned(size: int) -> Floats:
    """Return zeros (size,) that begin with a cache line, so that no lanes cross one: half the loads would be two."""
    spare = np.zeros(size + LANES, dtype=np.float32)
    skip = -spare.ctypes.data % (4 * LANES) // 4
    return spare[skip : skip + size]
