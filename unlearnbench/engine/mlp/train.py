"""Training networks one at a time: all epochs of one in one compiled call, by as many threads as there are.

One at a time is faster than a stack: the parameters, their moments and one batch fit into the second-level cache
together. A network is the same bits alone, among others, and with any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.deltas import KEPT, REMOVED
from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layers, Layout, Network, aligned, network_of
from unlearnbench.engine.mlp.optimizer import Optimizer, apply_step
from unlearnbench.engine.mlp.passes import (
    Workspace,
    backprop,
    forward,
    load_batch,
    output_delta,
    sum_gradient,
    workspace_for,
)
from unlearnbench.engine.mlp.simd import Floats, register

T = TypeVar("T")
R = TypeVar("R")


class TrainingInputs(NamedTuple):
    """What one network is trained on, from which parameters. Together with the optimizer it decides the result."""

    start: Layers
    """The layers to start from."""
    x: Floats
    """The features of the base's records (n rows), see :func:`unlearnbench.engine.mlp.layout.padded_rows`."""
    labels: NDArray[np.int64]
    """(n,): the labels of the base's records."""
    row_status: NDArray[np.uint8]
    """(n,): which of them are learned from, see :meth:`unlearnbench.engine.deltas.Base.row_status`."""
    orders: NDArray[np.int32]
    """(epochs, n): the order of the records in each epoch."""


def fit(inputs: TrainingInputs, optimizer: Optimizer, batch_size: int) -> Network:
    """Return the trained network."""
    register()
    net, parameters = network_of(inputs.start)
    state = aligned(optimizer.copies * net.size)
    state[: net.size] = parameters
    size = min(batch_size, len(inputs.labels))
    rows = np.zeros(size, dtype=np.int64)
    workspace = workspace_for(net, size)
    train(net, workspace, optimizer, state, inputs.x, inputs.labels, inputs.row_status, inputs.orders, rows)
    parameters[:] = state[: net.size]
    return Network(net, parameters)


@kernel(borrows=True)
def train(
    net: Layout,
    workspace: Workspace,
    optimizer: Optimizer,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    row_status: NDArray[np.uint8],
    orders: NDArray[np.int32],
    rows: NDArray[np.int64],
) -> None:
    """Train the parameters in ``state`` on the records that are kept; ``rows`` (batch size,) is working space.

    For the other arguments see :class:`TrainingInputs`.
    """
    step = 0
    for epoch in range(len(orders)):
        begin = 0
        while begin < orders.shape[1]:
            count, begin = next_batch(orders[epoch], row_status, begin, len(rows), rows)
            if count > 0:
                step += 1
                _step(net, workspace, optimizer, state, x, labels, rows, count, step)


@kernel(borrows=True)
def next_batch(
    order: NDArray[np.int32], row_status: NDArray[np.uint8], begin: int, size: int, rows: NDArray[np.int64]
) -> tuple[int, int]:
    """Write the records of the batch that begins at ``order[begin]`` to ``rows`` (size,).

    Return how many there are and where the next batch begins. A batch has ``size`` positions. Removed records take no
    position; masked records take one and leave it empty.
    """
    count = taken = 0
    while begin < len(order) and taken < size:
        record = order[begin]
        begin += 1
        taken += row_status[record] != REMOVED
        if row_status[record] == KEPT:
            rows[count] = record
            count += 1
    return count, begin


@kernel(borrows=True)
def _step(
    net: Layout,
    workspace: Workspace,
    optimizer: Optimizer,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    count: int,
    step: int,
) -> None:
    """Take one optimizer step on the mean loss of a batch.

    Layers are updated from the last to the first, each right after its gradient, so one gradient at a time is in cache.
    """
    load_batch(net, workspace, x, rows, count)
    forward(net, workspace, state, count)
    output_delta(net, workspace, labels, rows, count, np.float32(1 / count))
    for level in range(len(net.weight) - 1, -1, -1):
        if level > 0:
            backprop(net, workspace, state, level, count)  # before the weights above the level change
        sum_gradient(net, workspace, level, count)
        end = net.bias[level] + net.stride[level + 1]
        apply_step(optimizer, state, net.size, net.weight[level], end, workspace.gradient, step)


def in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return ``work(item)`` of each item, in order, by ``OMP_NUM_THREADS`` threads; by one where it is not set."""
    setting = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(setting) if setting.isdecimal() else 1
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
