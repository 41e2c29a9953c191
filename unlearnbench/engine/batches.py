"""The batches of networks, drawn by keys, so that a deletion need not move the other records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import keyed_bits, keyed_uniforms


def shuffled(ids: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of ``ids`` (n,) in one epoch, as indices sorted by a draw keyed by (seed, epoch, id)."""
    return np.argsort(keyed_bits(seed, epoch, ids), kind="stable")


def batches(data: TrainingSet, seed: int, epoch: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the batches of one epoch as rows of ``data.x``, at most ``size`` each and none empty.

    All ids, masked ones too, are shuffled and cut into batches of ``size``; then masked ids are left out of their
    batch. So a masked record (order ``slot``) leaves every other record in its batch, while one that was removed from
    ``ids`` (order ``compact``) moves each later record one position forward.
    """
    order = shuffled(data.ids, seed, epoch)
    row_of_id = np.cumsum(data.mask) - 1  # the row of ``data.x`` at each index of ``data.ids``
    for start in range(0, len(order), size):
        batch = order[start : start + size]
        kept = batch[data.mask[batch]]
        if len(kept):
            yield row_of_id[kept]


def epochs_of_batches(data: TrainingSet, seed: int, epochs: int, size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the batches of all epochs, each with the number of its epoch."""
    for epoch in range(epochs):
        for batch in batches(data, seed, epoch, size):
            yield epoch, batch


def batches_of_ids(data: TrainingSet, seed: int, epoch: int, size: int) -> list[NDArray[np.int64]]:
    """Return the batches of one epoch as ids of records."""
    ids = data.kept_ids
    return [ids[batch] for batch in batches(data, seed, epoch, size)]


def poisson_rows(ids: NDArray[np.int64], seed: int, step: int, rate: float) -> NDArray[np.int64]:
    """Return the indices into ``ids`` (n,) of one step's batch, ascending; there may be none.

    Each is in with probability ``rate``, by a draw keyed by (seed, step, id), so it does not depend on other records.
    """
    return np.flatnonzero(keyed_uniforms(seed, step, ids) < rate)


def poisson_batches(data: TrainingSet, seed: int, steps: int, rate: float) -> Iterator[NDArray[np.int64]]:
    """Yield the batch of each step as rows of ``data.x``.

    A record's batches do not depend on other records, so the orders ``slot`` and ``compact`` are the same here.
    """
    for step in range(steps):
        yield poisson_rows(data.kept_ids, seed, step, rate)
