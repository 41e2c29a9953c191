"""Trained networks that answer together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.layout import Layout, Network, padded_rows
from unlearnbench.engine.mlp.passes import Workspace, forward, load_batch, workspace_for
from unlearnbench.engine.mlp.simd import Floats, register

Standardize = Callable[[NDArray[np.float64]], NDArray[np.float64]]

BLOCK = 64  # records that go through a network together: all their values fit into the second-level cache


@kernel(borrows=True)
def compute_logits(
    net: Layout, workspace: Workspace, weights: Floats, x: Floats, rows: NDArray[np.int64], logits: Floats
) -> None:
    """Set ``logits`` (n * classes,) to those of the records ``x``; ``rows`` (BLOCK,) is working space."""
    classes = net.width[-1]
    n, outputs = len(logits) // classes, net.unit[-1] * workspace.capacity
    for begin in range(0, n, len(rows)):
        count = min(len(rows), n - begin)
        for i in range(count):
            rows[i] = begin + i
        load_batch(net, workspace, x, rows, count)
        forward(net, workspace, weights, count)
        for i in range(count):
            for k in range(classes):
                logits[(begin + i) * classes + k] = workspace.value[outputs + k * workspace.capacity + i]


@dataclass(frozen=True, eq=False)
class MLPBank:
    """Trained networks.

    The answer about a record is the same bits whatever other records are queried: every lane is computed alike.
    """

    networks: Sequence[Network]
    """The networks."""
    standardizers: Sequence[Standardize]
    """What standardizes the features of each."""

    def log_posteriors(self, x: NDArray[np.float64], which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-posteriors (len(which), n, classes) of these members on ``x`` (n, ...)."""

        @cache
        def inputs(standardize: Standardize) -> Floats:
            return padded_rows(standardize(x))

        members = [(self.networks[index], inputs(self.standardizers[index])) for index in which.tolist()]
        return log_softmax(np.stack([_logits(network, rows, len(x)) for network, rows in members]))


def _logits(network: Network, x: Floats, n: int) -> Floats:
    """Return the logits (n, classes) of one network on padded rows."""
    register()
    net, parameters = network
    logits = np.empty((n, int(net.width[-1])), dtype=np.float32)
    rows = np.zeros(BLOCK, dtype=np.int64)
    compute_logits(net, workspace_for(net, BLOCK), parameters, x, rows, logits.ravel())  # ravel gives a view
    return logits
