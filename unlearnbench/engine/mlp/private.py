"""Differentially private training of one network, all steps in one call.

Ghost clipping (Li et al. 2022, after Goodfellow 2015): the gradient of a linear layer by one record is the outer
product of its values below and its deltas above, which the passes compute anyway. Its norm is the product of their
norms. To clip it, the deltas are scaled before the sum over records; no record's gradient is ever formed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layers, Layout, Network, aligned, network_of
from unlearnbench.engine.mlp.noise import Words, blocks_for, fill_normals
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
from unlearnbench.engine.mlp.simd import LANES, Floats, Simd16, fma, load, register, round_up, splat, store


class PrivateTrainingInputs(NamedTuple):
    """What one network is trained on by DP-SGD, from which parameters."""

    start: Layers
    """The layers to start from."""
    x: Floats
    """The features of the base's records (n rows), see :func:`unlearnbench.engine.mlp.layout.padded_rows`."""
    labels: NDArray[np.int64]
    """(n,): the labels of the base's records."""
    rows: NDArray[np.int64]
    """The records of all batches, one batch after the other."""
    begins: NDArray[np.int64]
    """(steps + 1,): where each batch begins in ``rows``, and where the last one ends."""


class Privacy(NamedTuple):
    """What makes a step private."""

    clip: float
    """The largest norm of one record's gradient."""
    deviation: float
    """The standard deviation of the noise on a batch's sum of gradients."""
    expected: float
    """The expected batch size, by which that sum is divided."""


class Scratch(NamedTuple):
    """Space for one step."""

    share: Floats
    """(batch,): the factor on each record's gradient."""
    words: Words
    """(parameters,): random words, see :func:`unlearnbench.engine.mlp.noise.fill_normals`."""
    noise: Floats
    """(parameters,): standard normals."""


def fit_privately(inputs: PrivateTrainingInputs, optimizer: Optimizer, privacy: Privacy, noise_seed: int) -> Network:
    """Return the trained network; the noise is drawn by ``noise_seed`` and the number of the step."""
    register()
    net, parameters = network_of(inputs.start)
    state = aligned(optimizer.copies * net.size)
    state[: net.size] = parameters
    workspace = workspace_for(net, max(1, int(np.diff(inputs.begins).max())))
    numbers = 4 * blocks_for(int(((net.width[:-1] + 1) * net.width[1:]).sum()))
    scratch = Scratch(aligned(workspace.capacity), np.zeros(numbers, dtype=np.uint32), aligned(numbers))
    train_privately(
        net,
        workspace,
        scratch,
        optimizer,
        privacy,
        noise_seed,
        state,
        inputs.x,
        inputs.labels,
        inputs.rows,
        inputs.begins,
    )
    parameters[:] = state[: net.size]
    return Network(net, parameters)


@kernel(borrows=True)
def train_privately(
    net: Layout,
    workspace: Workspace,
    scratch: Scratch,
    optimizer: Optimizer,
    privacy: Privacy,
    noise_seed: int,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    begins: NDArray[np.int64],
) -> None:
    """Train the parameters in ``state``; for the last arguments see :class:`PrivateTrainingInputs`.

    A step clips by the norm over all layers, so all deltas are computed before any gradient.
    """
    for step in range(len(begins) - 1):
        batch = rows[begins[step] : begins[step + 1]]
        # The deltas of each record's own loss: not divided by the batch size.
        load_batch(net, workspace, x, batch, len(batch))
        forward(net, workspace, state, len(batch))
        output_delta(net, workspace, labels, batch, len(batch), np.float32(1))
        for level in range(len(net.weight) - 1, 0, -1):
            backprop(net, workspace, state, level, len(batch))
        clip_gradients(net, workspace, scratch.share, privacy, len(batch))
        # Sum, noise and step, layer by layer.
        fill_normals(noise_seed, step, scratch.words, scratch.noise)
        taken = 0
        for level in range(len(net.weight)):
            sum_gradient(net, workspace, level, len(batch))
            taken = _add_noise(net, workspace, level, scratch.noise, privacy, taken)
            end = net.bias[level] + net.stride[level + 1]
            apply_step(optimizer, state, net.size, net.weight[level], end, workspace.gradient, step + 1)


@kernel(borrows=True)
def clip_gradients(net: Layout, workspace: Workspace, share: Floats, privacy: Privacy, count: int) -> None:
    """Scale each record's deltas, so that gradients sum to the clipped ones over ``privacy.expected``."""
    for i in range(0, round_up(count), LANES):
        store(share, i, _square_norms(net, workspace, i))
    for i in range(round_up(count)):
        part = privacy.clip / np.sqrt(share[i])
        share[i] = (1 if part > 1 else part) / privacy.expected  # a norm that is nan makes the share nan
    for level in range(1, len(net.width)):
        for unit in range(net.tiled[level]):
            at = (net.unit[level] + unit) * workspace.capacity
            for i in range(0, round_up(count), LANES):
                store(workspace.delta, at + i, load(workspace.delta, at + i) * load(share, i))


@kernel(borrows=True)
def _square_norms(net: Layout, workspace: Workspace, i: int) -> Simd16:
    """Return the square norms of the gradients of records ``i`` to ``i + 15`` by all parameters.

    It is the sum over layers of |delta|^2 (|value|^2 + 1), where the 1 is the bias.
    """
    norms = splat(np.float32(0))
    for level in range(len(net.weight)):
        values, deltas = splat(np.float32(1)), splat(np.float32(0))
        for unit in range(net.unit[level], net.unit[level] + net.width[level]):
            value = load(workspace.value, unit * workspace.capacity + i)
            values = fma(value, value, values)
        for unit in range(net.unit[level + 1], net.unit[level + 1] + net.width[level + 1]):
            delta = load(workspace.delta, unit * workspace.capacity + i)
            deltas = fma(delta, delta, deltas)
        norms = fma(values, deltas, norms)
    return norms


@kernel(borrows=True)
def _add_noise(net: Layout, workspace: Workspace, level: int, noise: Floats, privacy: Privacy, taken: int) -> int:
    """Add noise to the gradient of one layer, in the order of torch's parameters; padding stays at 0.

    ``taken`` numbers of ``noise`` were used before; return how many are used now.
    """
    scale = np.float32(privacy.deviation / privacy.expected)
    width, units, stride = net.width[level], net.width[level + 1], net.stride[level]
    for unit in range(units):
        _add(workspace.gradient[unit * stride :], noise[taken:], scale, width)
        taken += width
    _add(workspace.gradient[net.bias[level] - net.weight[level] :], noise[taken:], scale, units)
    return int(taken + units)


@kernel(borrows=True)
def _add(a: Floats, b: Floats, scale: np.float32, count: int) -> None:
    """Add ``scale`` times the first ``count`` of ``b`` to ``a``."""
    for i in range(count):
        a[i] += scale * b[i]
