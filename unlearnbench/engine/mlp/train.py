"""Training one network, all epochs in one call."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.deltas import KEPT, REMOVED
from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layout
from unlearnbench.engine.mlp.passes import Bench, blame_below, blame_outputs, forward, seat, sum_gradient
from unlearnbench.engine.mlp.simd import Floats
from unlearnbench.engine.mlp.update import Rule, descend


@kernel(borrows=True)
def next_batch(
    order: NDArray[np.int32], fate: NDArray[np.uint8], begin: int, places: int, rows: NDArray[np.int64]
) -> tuple[int, int]:
    """Write the records of the batch that begins at place ``begin`` of ``order`` into ``rows`` (places,).

    Return how many there are and where the next batch begins. Records that are gone take no place; masked ones do.
    """
    count = taken = 0
    while begin < len(order) and taken < places:
        record = order[begin]
        begin += 1
        taken += fate[record] != REMOVED
        if fate[record] == KEPT:
            rows[count] = record
            count += 1
    return count, begin


@kernel(borrows=True)
def train(
    net: Layout,
    bench: Bench,
    rule: Rule,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    fate: NDArray[np.uint8],
    orders: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    """Train the parameters in ``state`` on the records ``x`` (n rows in lanes) that are kept.

    ``labels``, ``fate`` (n,) · ``orders`` (epochs, n): the order of the records in each epoch · ``rows`` (batch size,):
    room for a batch's records.
    """
    step = 0
    for epoch in range(len(orders)):
        begin = 0
        while begin < orders.shape[1]:
            count, begin = next_batch(orders[epoch], fate, begin, len(rows), rows)
            if count > 0:
                step += 1
                _step(net, bench, rule, state, x, labels, rows, count, step)


@kernel(borrows=True)
def _step(
    net: Layout,
    bench: Bench,
    rule: Rule,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    count: int,
    step: int,
) -> None:
    seat(net, bench, x, rows, count)
    forward(net, bench, state, count)
    blame_outputs(net, bench, labels, rows, count, np.float32(1 / count))
    for level in range(len(net.weight) - 1, -1, -1):
        if level > 0:
            blame_below(net, bench, state, level, count)  # before the weights above it move
        sum_gradient(net, bench, level, count)
        end = net.bias[level] + net.span[level + 1]
        descend(rule, state, net.size, net.weight[level], end, bench.gradient, step)
