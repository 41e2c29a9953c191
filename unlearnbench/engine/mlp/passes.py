"""The forward and the backward pass of a network, a batch at a time.

Values and deltas are stored with units as rows and records as columns: 16 records then share each weight, and every
product is a weight times a vector. Only the gradient, a sum over records, needs records as rows; the values are
transposed for it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layout, aligned
from unlearnbench.engine.mlp.products import product, transpose
from unlearnbench.engine.mlp.simd import (
    LANES,
    Floats,
    broadcast,
    load,
    reduce_add,
    round_up,
    splat,
    store,
    where_positive,
)


class Workspace(NamedTuple):
    """Space for one batch. Every step works here, and none allocates."""

    capacity: int
    """The most records in a batch, a multiple of ``LANES``: the distance between units in memory."""
    value: Floats
    """(units, capacity): what units put out, after ReLU; of the last level, logits."""
    delta: Floats
    """(units, capacity): the derivative of the loss by what goes into units."""
    inputs: Floats
    """(capacity, stride): the values of level 0, one record a row."""
    transposed: Floats
    """(capacity, stride): the values of another level, one record a row."""
    gradient: Floats
    """The gradient of one layer's parameters, laid out as they are."""


def workspace_for(layout: Layout, batch_size: int) -> Workspace:
    """Return space for batches of up to ``batch_size`` records."""
    capacity = -(-batch_size // LANES) * LANES
    largest = int((layout.bias + layout.stride[1:] - layout.weight).max())
    units, inputs = layout.units * capacity, int(layout.stride[0]) * capacity
    transposed = int(layout.stride.max()) * capacity
    return Workspace(capacity, aligned(units), aligned(units), aligned(inputs), aligned(transposed), aligned(largest))


@kernel(borrows=True)
def load_batch(net: Layout, workspace: Workspace, x: Floats, rows: NDArray[np.int64], count: int) -> None:
    """Copy the first ``count`` of ``rows`` of ``x`` to ``inputs``, and transposed to the values of level 0."""
    stride, inputs = net.stride[0], workspace.inputs
    for i in range(round_up(count)):
        for j in range(0, stride, LANES):
            if i < count:
                store(inputs, i * stride + j, load(x, rows[i] * stride + j))
            else:  # padding columns are computed with, so they must be finite
                inputs[i * stride + j : i * stride + j + LANES] = 0
    for j in range(net.width[0]):
        for i in range(round_up(count)):
            workspace.value[j * workspace.capacity + i] = inputs[i * stride + j]


@kernel(borrows=True)
def forward(net: Layout, workspace: Workspace, weights: Floats, count: int) -> None:
    """Compute the values of all levels from those of level 0."""
    last = len(net.weight) - 1
    for level in range(last + 1):
        below, above = net.unit[level] * workspace.capacity, net.unit[level + 1] * workspace.capacity
        value, tiled = workspace.value, net.tiled[level + 1]
        # value above (units above, records) = weights (units above, units below) @ value below (units below, records)
        product(
            weights,
            net.weight[level],
            net.stride[level],
            1,
            net.width[level],
            value,
            below,
            value,
            above,
            workspace.capacity,
            tiled,
            round_up(count),
        )
        # Add the bias; apply ReLU below the last level.
        for unit in range(tiled):
            bias = broadcast(weights, net.bias[level] + unit)
            for i in range(0, round_up(count), LANES):
                at = above + unit * workspace.capacity + i
                z = load(value, at) + bias
                store(value, at, z if level == last else where_positive(z, z))


@kernel(borrows=True)
def output_delta(
    net: Layout, workspace: Workspace, labels: NDArray[np.int64], rows: NDArray[np.int64], count: int, share: np.float32
) -> None:
    """Set the deltas of the last level for ``share`` times each cross-entropy: share (softmax - one-hot label)."""
    capacity, classes = workspace.capacity, net.width[-1]
    at = net.unit[-1] * capacity
    for i in range(count):
        _softmax_delta(workspace.value, workspace.delta, at + i, capacity, classes, labels[rows[i]], share)
    for i in range(count, round_up(count)):  # padding columns get zero delta
        for k in range(classes):
            workspace.delta[at + k * capacity + i] = 0


@kernel(borrows=True)
def _softmax_delta(
    logits: Floats, delta: Floats, at: int, capacity: int, classes: int, label: int, share: np.float32
) -> None:
    """Set the deltas of one record, whose logits begin at ``at`` and lie ``capacity`` apart."""
    # The largest logit is subtracted before the exponential, so that none overflows.
    top, mass = np.float32(-np.inf), np.float32(0)
    for k in range(classes):
        top = max(top, logits[at + k * capacity])
    for k in range(classes):
        e = np.float32(math.exp(logits[at + k * capacity] - top))
        mass += e
        delta[at + k * capacity] = e
    for k in range(classes):
        one_hot = np.float32(1) if k == label else np.float32(0)
        delta[at + k * capacity] = (delta[at + k * capacity] / mass - one_hot) * share


@kernel(borrows=True)
def backprop(net: Layout, workspace: Workspace, weights: Floats, level: int, count: int) -> None:
    """Set the deltas of ``level`` from those one level up: through the weights, and 0 where ReLU put out 0."""
    capacity, delta, value = workspace.capacity, workspace.delta, workspace.value
    here, above = net.unit[level] * capacity, net.unit[level + 1] * capacity
    # delta here (units here, records) = weights' (units here, units above) @ delta above (units above, records)
    product(
        weights,
        net.weight[level],
        1,
        net.stride[level],
        net.width[level + 1],
        delta,
        above,
        delta,
        here,
        capacity,
        net.tiled[level],
        round_up(count),
    )
    for unit in range(net.tiled[level]):
        for i in range(0, round_up(count), LANES):
            at = here + unit * capacity + i
            store(delta, at, where_positive(load(value, at), load(delta, at)))


@kernel(borrows=True)
def sum_gradient(net: Layout, workspace: Workspace, level: int, count: int) -> None:
    """Set ``gradient`` to that of the parameters between ``level`` and the next, laid out as the parameters are."""
    capacity, stride, tiled = workspace.capacity, net.stride[level], net.tiled[level + 1]
    above, biases = net.unit[level + 1] * capacity, net.bias[level] - net.weight[level]
    # The weights: gradient (units above, units here) = delta above (units above, records) @ value here (records, units)
    if level > 0:
        at = net.unit[level] * capacity
        transpose(workspace.value, at, capacity, stride, round_up(count), workspace.transposed, 0)
    value = workspace.transposed if level > 0 else workspace.inputs
    product(workspace.delta, above, capacity, 1, count, value, 0, workspace.gradient, 0, stride, tiled, stride)
    # The biases: the sum of the deltas over records.
    for unit in range(tiled):
        sums = splat(np.float32(0))
        for i in range(0, round_up(count), LANES):
            sums = sums + load(workspace.delta, above + unit * capacity + i)
        workspace.gradient[biases + unit] = reduce_add(sums)
    for unit in range(tiled, net.stride[level + 1]):  # padding, where another layer's gradient was
        workspace.gradient[biases + unit] = 0
