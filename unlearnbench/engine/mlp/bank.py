"""Networks that answer together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.fit import Network
from unlearnbench.engine.mlp.layout import Layout, rows_in_lanes
from unlearnbench.engine.mlp.passes import Bench, bench_for, forward, seat
from unlearnbench.engine.mlp.simd import Floats, ready

Standardize = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BLOCK = 64  # records that go through a network together: what they put out stays in the second-level cache


@kernel(borrows=True)
def answer(net: Layout, bench: Bench, weights: Floats, x: Floats, rows: NDArray[np.int64], logits: Floats) -> None:
    """Set ``logits`` (n * classes,) to what the network says of the records ``x``; ``rows`` (BLOCK,) is room."""
    classes = net.width[-1]
    n, outputs = len(logits) // classes, net.unit[-1] * bench.room
    for begin in range(0, n, len(rows)):
        count = min(len(rows), n - begin)
        for i in range(count):
            rows[i] = begin + i
        seat(net, bench, x, rows, count)
        forward(net, bench, weights, count)
        for i in range(count):
            for k in range(classes):
                logits[(begin + i) * classes + k] = bench.value[outputs + k * bench.room + i]


@dataclass(frozen=True, eq=False)
class MLPBank:
    """Trained networks and what standardizes the features of each.

    The answer about a record is the same bits whatever is asked beside it: every lane is computed alike.
    """

    networks: Sequence[Network]
    standardizers: Sequence[Standardize]

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-posteriors (len(which), n, classes) of these members on ``x`` (n, ...)."""

        @cache
        def inputs(standardize: Standardize) -> Floats:
            return rows_in_lanes(standardize(x))

        members = [(self.networks[index], inputs(self.standardizers[index])) for index in which.tolist()]
        return log_softmax(np.stack([_logits(network, rows, len(x)) for network, rows in members]))


def _logits(network: Network, x: Floats, n: int) -> Floats:
    ready()
    net, parameters = network
    logits = np.empty((n, int(net.width[-1])), dtype=np.float32)
    answer(net, bench_for(net, BLOCK), parameters, x, np.zeros(BLOCK, dtype=np.int64), logits.ravel())  # a view
    return logits
