"""Forward and backward through a network, a batch at a time.

Units are rows and records are columns, so that 16 records share each weight; only the gradient, a sum over records,
wants it the other way round.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layout, aligned
from unlearnbench.engine.mlp.products import product, transpose
from unlearnbench.engine.mlp.simd import LANES, Floats, fill, load, spread, store, total, where_positive, whole


class Bench(NamedTuple):
    """Room for one batch of up to ``room`` records, whole lanes; every step works here and none allocates.

    ``value`` and ``delta`` (units, room): what units put out, after ReLU, and the loss's derivative by what goes into
    them · ``seated`` (room, span): the values of level 0, a record a row · ``turned`` (room, span): those of the level
    at work · ``gradient``: of one layer's parameters.
    """

    room: int
    value: Floats
    delta: Floats
    seated: Floats
    turned: Floats
    gradient: Floats


def bench_for(layout: Layout, batch_size: int) -> Bench:
    """Return a bench for batches of at most this size."""
    room = -(-batch_size // LANES) * LANES
    largest = int((layout.bias + layout.span[1:] - layout.weight).max())
    units, wide, widest = layout.units * room, int(layout.span[0]) * room, int(layout.span.max()) * room
    return Bench(room, aligned(units), aligned(units), aligned(wide), aligned(widest), aligned(largest))


@kernel(borrows=True)
def seat(net: Layout, bench: Bench, x: Floats, rows: NDArray[np.int64], count: int) -> None:
    """Put the first ``count`` of ``rows`` of ``x`` on the bench, as the values of level 0 and by record."""
    span, record = net.span[0], bench.seated
    for i in range(whole(count)):
        for j in range(0, span, LANES):
            if i < count:
                store(record, i * span + j, load(x, rows[i] * span + j))
            else:  # spare columns are computed with, so they must be finite
                record[i * span + j : i * span + j + LANES] = 0
    for j in range(net.width[0]):
        for i in range(whole(count)):
            bench.value[j * bench.room + i] = record[i * span + j]


@kernel(borrows=True)
def forward(net: Layout, bench: Bench, weights: Floats, count: int) -> None:
    """Compute the values of all levels from those of level 0; the last level's are logits."""
    last = len(net.weight) - 1
    for level in range(last + 1):
        below, above = net.unit[level] * bench.room, net.unit[level + 1] * bench.room
        value, tall = bench.value, net.tall[level + 1]
        product(
            weights,
            net.weight[level],
            net.span[level],
            1,
            net.width[level],
            value,
            below,
            value,
            above,
            bench.room,
            tall,
            whole(count),
        )
        for unit in range(tall):
            bias = spread(weights, net.bias[level] + unit)
            for i in range(0, whole(count), LANES):
                at = above + unit * bench.room + i
                z = load(value, at) + bias
                store(value, at, z if level == last else where_positive(z, z))


@kernel(borrows=True)
def blame_outputs(
    net: Layout, bench: Bench, labels: NDArray[np.int64], rows: NDArray[np.int64], count: int, share: np.float32
) -> None:
    """Set the last level's deltas for ``share`` times each cross-entropy: share (softmax - one-hot label)."""
    room, classes = bench.room, net.width[-1]
    at = net.unit[-1] * room
    for i in range(count):
        _blame_one(bench.value, bench.delta, at + i, room, classes, labels[rows[i]], share)
    for i in range(count, whole(count)):  # nobody is to blame in spare columns
        for k in range(classes):
            bench.delta[at + k * room + i] = 0


@kernel(borrows=True)
def _blame_one(logits: Floats, delta: Floats, at: int, room: int, classes: int, label: int, share: np.float32) -> None:
    top, mass = np.float32(-np.inf), np.float32(0)
    for k in range(classes):
        top = max(top, logits[at + k * room])
    for k in range(classes):
        e = np.float32(math.exp(logits[at + k * room] - top))
        mass += e
        delta[at + k * room] = e
    for k in range(classes):
        hit = np.float32(1) if k == label else np.float32(0)
        delta[at + k * room] = (delta[at + k * room] / mass - hit) * share


@kernel(borrows=True)
def blame_below(net: Layout, bench: Bench, weights: Floats, level: int, count: int) -> None:
    """Set the deltas of ``level`` from those one level up: through the weights, where the unit was on."""
    room, delta, value = bench.room, bench.delta, bench.value
    here, above = net.unit[level] * room, net.unit[level + 1] * room
    product(
        weights,
        net.weight[level],
        1,
        net.span[level],
        net.width[level + 1],
        delta,
        above,
        delta,
        here,
        room,
        net.tall[level],
        whole(count),
    )
    for unit in range(net.tall[level]):
        for i in range(0, whole(count), LANES):
            at = here + unit * room + i
            store(delta, at, where_positive(load(value, at), load(delta, at)))


@kernel(borrows=True)
def sum_gradient(net: Layout, bench: Bench, level: int, count: int) -> None:
    """Put the gradient of the parameters between ``level`` and the next on the bench, laid out as they are."""
    room, span, tall = bench.room, net.span[level], net.tall[level + 1]
    above, biases = net.unit[level + 1] * room, net.bias[level] - net.weight[level]
    if level > 0:
        transpose(bench.value, net.unit[level] * room, room, span, whole(count), bench.turned, 0)
    record = bench.turned if level > 0 else bench.seated
    product(bench.delta, above, room, 1, count, record, 0, bench.gradient, 0, span, tall, span)
    for unit in range(tall):
        sums = fill(np.float32(0))
        for i in range(0, whole(count), LANES):
            sums = sums + load(bench.delta, above + unit * room + i)
        bench.gradient[biases + unit] = total(sums)
    for unit in range(tall, net.span[level + 1]):  # another layer's gradient was here
        bench.gradient[biases + unit] = 0
