"""Networks trained one at a time, in cache, by as many threads as there are.

One at a time beats a stack: the parameters, their moments and one batch fit into the second-level cache together. So a
network is the same bits alone, among others, and with any number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.mlp.layout import Layers, Layout, aligned, layout_of, pack
from unlearnbench.engine.mlp.passes import bench_for
from unlearnbench.engine.mlp.simd import Floats, ready
from unlearnbench.engine.mlp.train import train
from unlearnbench.engine.mlp.update import Rule

T = TypeVar("T")
R = TypeVar("R")


class Course(NamedTuple):
    """All that decides one network."""

    start: Layers
    """The layers to go on from."""
    x: Floats
    """The base's records in lanes, see :func:`unlearnbench.engine.mlp.layout.rows_in_lanes`."""
    labels: NDArray[np.int64]
    """The base's labels (n,)."""
    fate: NDArray[np.uint8]
    """Which of the records (n,) are learned from."""
    orders: NDArray[np.int32]
    """How each epoch goes through the records (epochs, n)."""


class Network(NamedTuple):
    """A trained network: its ``parameters`` (size,), laid out as ``net`` says."""

    net: Layout
    parameters: Floats


def widths_of(layers: Layers) -> list[int]:
    """Return the widths of a network from its first level to its last."""
    return [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]


def network_of(layers: Layers) -> Network:
    """Return layers as a network of our own."""
    net = layout_of(widths_of(layers))
    parameters = aligned(net.size)
    pack(net, layers, parameters)
    return Network(net, parameters)


def trained(course: Course, rule: Rule, batch_size: int) -> Network:
    """Return the network that a course leads to."""
    ready()
    net, parameters = network_of(course.start)
    state = aligned(rule.copies * net.size)
    state[: net.size] = parameters
    size = min(batch_size, len(course.labels))
    rows = np.zeros(size, dtype=np.int64)
    bench = bench_for(net, size)
    train(net, bench, rule, state, course.x, course.labels, course.fate, course.orders, rows)
    parameters[:] = state[: net.size]
    return Network(net, parameters)


def in_threads(work: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the work done on each item, by as many threads as ``OMP_NUM_THREADS`` says; by one where it is not set."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(said) if said.isdecimal() else 1
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
