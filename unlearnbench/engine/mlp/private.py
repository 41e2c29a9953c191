"""Differentially private training of one network, all steps in one call.

Ghost clipping (Li et al. 2022, after Goodfellow 2015): the gradient of a linear layer by one record is the outer
product of two vectors that the passes make anyway, so its norm is known without it, and clipping it is to scale one of
the two before the sum over records.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.fit import Network, network_of
from unlearnbench.engine.mlp.layout import Layers, Layout, aligned
from unlearnbench.engine.mlp.noise import Words, blocks_for, fill_normals
from unlearnbench.engine.mlp.passes import Bench, bench_for, blame_below, blame_outputs, forward, seat, sum_gradient
from unlearnbench.engine.mlp.simd import LANES, Floats, Lanes, fill, fma, load, ready, store, whole
from unlearnbench.engine.mlp.update import Rule, descend


class PrivateCourse(NamedTuple):
    """All that decides one privately trained network.

    ``start``: the layers to go on from · ``x``: the base's records in lanes, and their ``labels`` (n,) · ``rows``: the
    records of all batches, one batch after the other · ``begins`` (steps + 1,): where each begins, and the end.
    """

    start: Layers
    x: Floats
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    begins: NDArray[np.int64]


class Privacy(NamedTuple):
    """What makes a step private: the largest norm of a record's gradient, the noise on a sum, and what divides it.

    ``deviation``: of the noise on a batch's sum · ``expected``: the batch size that the sum is divided by.
    """

    clip: float
    deviation: float
    expected: float


class Room(NamedTuple):
    """Room for one step: ``share`` (batch,) of each record's gradient; the ``words`` and ``noise`` (parameters,)."""

    share: Floats
    words: Words
    noise: Floats


def trained_privately(course: PrivateCourse, rule: Rule, privacy: Privacy, noise_seed: int) -> Network:
    """Return the network that a course leads to; ``noise_seed`` and the step decide the noise."""
    ready()
    net, parameters = network_of(course.start)
    state = aligned(rule.copies * net.size)
    state[: net.size] = parameters
    bench = bench_for(net, max(1, int(np.diff(course.begins).max())))
    numbers = 4 * blocks_for(int(((net.width[:-1] + 1) * net.width[1:]).sum()))
    room = Room(aligned(bench.room), np.zeros(numbers, dtype=np.uint32), aligned(numbers))
    train_privately(
        net, bench, room, rule, privacy, noise_seed, state, course.x, course.labels, course.rows, course.begins
    )
    parameters[:] = state[: net.size]
    return Network(net, parameters)


@kernel(borrows=True)
def train_privately(
    net: Layout,
    bench: Bench,
    room: Room,
    rule: Rule,
    privacy: Privacy,
    noise_seed: int,
    state: Floats,
    x: Floats,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    begins: NDArray[np.int64],
) -> None:
    """Train the parameters in ``state`` on the batches of the records ``x`` (n rows in lanes)."""
    for step in range(len(begins) - 1):
        batch = rows[begins[step] : begins[step + 1]]
        seat(net, bench, x, batch, len(batch))
        forward(net, bench, state, len(batch))
        blame_outputs(net, bench, labels, batch, len(batch), np.float32(1))
        for level in range(len(net.weight) - 1, 0, -1):
            blame_below(net, bench, state, level, len(batch))
        clip_gradients(net, bench, room.share, privacy, len(batch))
        fill_normals(noise_seed, step, room.words, room.noise)
        taken = 0
        for level in range(len(net.weight)):
            sum_gradient(net, bench, level, len(batch))
            taken = _add_noise(net, bench, level, room.noise, privacy, taken)
            end = net.bias[level] + net.span[level + 1]
            descend(rule, state, net.size, net.weight[level], end, bench.gradient, step + 1)


@kernel(borrows=True)
def clip_gradients(net: Layout, bench: Bench, share: Floats, privacy: Privacy, count: int) -> None:
    """Scale the deltas, each record's of its own loss, so that their sum is that of clipped gradients over expected."""
    for i in range(0, whole(count), LANES):
        store(share, i, _square_norms(net, bench, i))
    for i in range(whole(count)):
        part = privacy.clip / np.sqrt(share[i])
        share[i] = (1 if part > 1 else part) / privacy.expected  # what is not a number travels on
    for level in range(1, len(net.width)):
        for unit in range(net.tall[level]):
            at = (net.unit[level] + unit) * bench.room
            for i in range(0, whole(count), LANES):
                store(bench.delta, at + i, load(bench.delta, at + i) * load(share, i))


@kernel(borrows=True)
def _square_norms(net: Layout, bench: Bench, i: int) -> Lanes:
    """Return the square norms of 16 records' gradients by all parameters: |delta|^2 (|value|^2 + 1) over the layers."""
    norms = fill(np.float32(0))
    for level in range(len(net.weight)):
        values, deltas = fill(np.float32(1)), fill(np.float32(0))
        for unit in range(net.unit[level], net.unit[level] + net.width[level]):
            value = load(bench.value, unit * bench.room + i)
            values = fma(value, value, values)
        for unit in range(net.unit[level + 1], net.unit[level + 1] + net.width[level + 1]):
            delta = load(bench.delta, unit * bench.room + i)
            deltas = fma(delta, delta, deltas)
        norms = fma(values, deltas, norms)
    return norms


@kernel(borrows=True)
def _add_noise(net: Layout, bench: Bench, level: int, noise: Floats, privacy: Privacy, taken: int) -> int:
    """Add noise to the gradient of one layer, in the order of torch's parameters; spare places stay at 0.

    Return how many numbers are taken, ``taken`` of which were before.
    """
    scale = np.float32(privacy.deviation / privacy.expected)
    width, units, span = net.width[level], net.width[level + 1], net.span[level]
    for unit in range(units):
        _add(bench.gradient[unit * span :], noise[taken:], scale, width)
        taken += width
    _add(bench.gradient[net.bias[level] - net.weight[level] :], noise[taken:], scale, units)
    return int(taken + units)


@kernel(borrows=True)
def _add(a: Floats, b: Floats, scale: np.float32, count: int) -> None:
    for i in range(count):
        a[i] += scale * b[i]
