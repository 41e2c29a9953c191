"""Several networks of one layout at once: their logits, and their gradients from given slopes of their logits.

What is made of the logits is for others to say, such as a loss of torch: its derivatives by them come back as slopes.
The forward pass is done again for the gradients, which is cheaper than to keep the values of all networks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layout
from unlearnbench.engine.mlp.passes import (
    Workspace,
    backprop,
    forward,
    load_batch,
    sum_gradient,
)
from unlearnbench.engine.mlp.simd import LANES, Floats, load, register, round_up, store


def logits(net: Layout, workspace: Workspace, parameters: Floats, x: Floats, rows: NDArray[np.int64]) -> Floats:
    """Return the logits (K, B, classes) of K networks on B records each, for which ``workspace`` has space.

    ``parameters`` (K, at least ``net.size``) are laid out as ``net``; ``x`` is as :func:`padded_rows` returns it, of
    which ``rows`` (K, B) are the records of each network. A network does not depend on the others, to the bit.
    """
    register()
    found = np.empty((*rows.shape, int(net.width[-1])), dtype=np.float32)
    compute_logits(net, workspace, parameters, x, rows, found)
    return found


def gradients(
    net: Layout, workspace: Workspace, parameters: Floats, x: Floats, rows: NDArray[np.int64], slopes: Floats
) -> Floats:
    """Return the gradients (K, as many as ``parameters``): ``slopes`` (K, B, classes) are those by the logits."""
    register()
    found = np.zeros_like(parameters)
    compute_gradients(net, workspace, parameters, x, rows, slopes, found)
    return found


@kernel(borrows=True)
def compute_logits(
    net: Layout, workspace: Workspace, parameters: Floats, x: Floats, rows: NDArray[np.int64], logits: Floats
) -> None:
    """Set ``logits``: see :func:`logits`."""
    networks, count = rows.shape
    outputs, classes = net.unit[-1] * workspace.capacity, net.width[-1]
    for k in range(networks):
        load_batch(net, workspace, x, rows[k], count)
        forward(net, workspace, parameters[k], count)
        for i in range(count):
            for c in range(classes):
                logits[k, i, c] = workspace.value[outputs + c * workspace.capacity + i]


@kernel(borrows=True)
def compute_gradients(
    net: Layout,
    workspace: Workspace,
    parameters: Floats,
    x: Floats,
    rows: NDArray[np.int64],
    slopes: Floats,
    gradients: Floats,
) -> None:
    """Set ``gradients``: see :func:`gradients`."""
    networks, count = rows.shape
    for k in range(networks):
        load_batch(net, workspace, x, rows[k], count)
        forward(net, workspace, parameters[k], count)
        _set_slopes(net, workspace, slopes[k], count)
        for level in range(len(net.weight) - 1, -1, -1):
            if level > 0:
                backprop(net, workspace, parameters[k], level, count)
            sum_gradient(net, workspace, level, count)
            begin, end = net.weight[level], net.bias[level] + net.stride[level + 1]
            for at in range(begin, end, LANES):
                store(gradients[k], at, load(workspace.gradient, at - begin))


@kernel(borrows=True)
def _set_slopes(net: Layout, workspace: Workspace, slopes: Floats, count: int) -> None:
    """Set the deltas of the last level to ``slopes`` (count, classes), and those of padding to 0."""
    outputs, capacity = net.unit[-1] * workspace.capacity, workspace.capacity
    for c in range(net.width[-1]):
        for i in range(count):
            workspace.delta[outputs + c * capacity + i] = slopes[i, c]
        for i in range(count, round_up(count)):
            workspace.delta[outputs + c * capacity + i] = 0
