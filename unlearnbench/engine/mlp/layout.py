"""The parameters of a network: as torch has them, and laid out in one flat array for the kernels.

Every matrix is padded with zeros, rows to a multiple of 16 numbers and columns to a multiple of 4, so that kernels
read whole vectors and write whole tiles. Padding has weights 0 and keeps them: its gradient is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.mlp.simd import LANES, ROWS, Floats

Layers = Sequence[tuple[Floats, Floats]]
"""The weights (out, in) and biases (out,) of each linear layer, as torch has them."""


class Layout(NamedTuple):
    """Where the parameters and the units of a network lie. There are L layers between L + 1 levels of units."""

    width: NDArray[np.int64]
    """(L + 1,): the units of each level."""
    tiled: NDArray[np.int64]
    """(L + 1,): ``width`` rounded up to a multiple of ``ROWS``: the rows that products compute."""
    stride: NDArray[np.int64]
    """(L + 1,): ``width`` rounded up to a multiple of ``LANES``: the distance between rows in memory."""
    weight: NDArray[np.int64]
    """(L,): where the matrix (tiled, stride below) of each layer begins."""
    bias: NDArray[np.int64]
    """(L,): where the biases (stride above,) of each layer begin, right behind its matrix."""
    size: int
    """The number of all parameters, padding included."""
    unit: NDArray[np.int64]
    """(L + 1,): the number of units before each level, padding included."""
    units: int
    """The number of all units, padding included."""


class Network(NamedTuple):
    """A network in the kernels' layout."""

    net: Layout
    """The layout."""
    parameters: Floats
    """(size,): the parameters."""


def initial_layers(widths: Sequence[int], seed: int) -> Layers:
    """Return weights and biases uniform in +-1/sqrt(fan-in), torch's own default for linear layers.

    One raw Philox word a number, in the order of torch's parameters: raw words are the same in every numpy version.
    """
    words = np.random.Philox(seed)
    return [
        (
            _uniform(words, fan_in * fan_out, fan_in).reshape(fan_out, fan_in),
            _uniform(words, fan_out, fan_in),
        )
        for fan_in, fan_out in pairwise(widths)
    ]


def _uniform(words: np.random.Philox, count: int, fan_in: int) -> NDArray[np.float32]:
    unit = (words.random_raw(count) >> np.uint64(11)) * 2.0**-53
    return np.asarray((2 * unit - 1) * fan_in**-0.5, dtype=np.float32)


def widths_of(layers: Layers) -> list[int]:
    """Return the widths of a network from its first level to its last."""
    return [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]


def layout_of(widths: Sequence[int]) -> Layout:
    """Return the layout of a network with these widths: features, hidden layers, classes."""
    stride, tiled = ([-(-width // multiple) * multiple for width in widths] for multiple in (LANES, ROWS))
    weights = [fan_in * fan_out for fan_in, fan_out in zip(stride[:-1], tiled[1:], strict=True)]
    begin = list(accumulate((w + b for w, b in zip(weights, stride[1:], strict=True)), initial=0))
    unit = list(accumulate(stride, initial=0))
    weight = np.array(begin[:-1], dtype=np.int64)
    return Layout(
        width=np.array(widths, dtype=np.int64),
        tiled=np.array(tiled, dtype=np.int64),
        stride=np.array(stride, dtype=np.int64),
        weight=weight,
        bias=weight + np.array(weights, dtype=np.int64),
        size=begin[-1],
        unit=np.array(unit[:-1], dtype=np.int64),
        units=unit[-1],
    )


def network_of(layers: Layers) -> Network:
    """Return layers as a network; the parameters are a copy."""
    net = layout_of(widths_of(layers))
    parameters = aligned(net.size)
    for level, (weight, bias) in enumerate(layers):
        matrix, biases = _views(net, level, parameters)
        matrix[:], biases[:] = weight, bias
    return Network(net, parameters)


def unpack(layout: Layout, flat: Floats) -> list[tuple[Floats, Floats]]:
    """Return copies of the parameters in ``flat`` (size,) as layers."""
    views = (_views(layout, level, flat) for level in range(len(layout.weight)))
    return [(np.ascontiguousarray(matrix), biases.copy()) for matrix, biases in views]


def _views(layout: Layout, level: int, flat: Floats) -> tuple[Floats, Floats]:
    """Return the weights (out, in) and biases (out,) above a level, without padding, as views of ``flat``."""
    fan_in, fan_out = layout.width[level : level + 2]
    matrix = flat[layout.weight[level] : layout.bias[level]].reshape(-1, layout.stride[level])[:fan_out, :fan_in]
    return matrix, flat[layout.bias[level] :][:fan_out]


def padded_rows(x: NDArray[np.float64]) -> Floats:
    """Return rows (n, d) one after the other as float32, each padded with zeros to a multiple of ``LANES``."""
    n, d = x.shape
    stride = -(-d // LANES) * LANES
    rows = aligned(n * stride)
    rows.reshape(n, stride)[:, :d] = x
    return rows


def aligned(size: int) -> Floats:
    """Return zeros (size,) that begin with a cache line, so that no vector lies across two lines."""
    padded = np.zeros(size + LANES, dtype=np.float32)
    skip = -padded.ctypes.data % (4 * LANES) // 4
    return padded[skip : skip + size]
