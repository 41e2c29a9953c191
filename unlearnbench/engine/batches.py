"""Which records a network sees in which step, keyed so that a deletion can leave the others alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import keyed_bits, keyed_uniforms


def shuffled(ids: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order of the places of ``ids`` (n,) in one epoch, sorted by a draw keyed by (seed, epoch, id)."""
    return np.argsort(keyed_bits(seed, epoch, ids), kind="stable")


def batches(data: TrainingSet, seed: int, epoch: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Yield the batches of one epoch as rows of ``data.x``, at most ``size`` each and none empty.

    All places, masked ones too, are shuffled and cut into batches of ``size``; then masked places drop out of their
    batch. So a masked record (order ``slot``) leaves every other record in its batch, while one that is gone from
    ``ids`` (order ``compact``) moves each later record one place up.
    """
    order = shuffled(data.ids, seed, epoch)
    row_of_place = np.cumsum(data.mask) - 1
    for start in range(0, len(order), size):
        places = order[start : start + size]
        kept = places[data.mask[places]]
        if len(kept):
            yield row_of_place[kept]


def epochs_of_batches(data: TrainingSet, seed: int, epochs: int, size: int) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield the batches of all epochs, each with the number of its epoch."""
    for epoch in range(epochs):
        for batch in batches(data, seed, epoch, size):
            yield epoch, batch


def batches_of_ids(data: TrainingSet, seed: int, epoch: int, size: int) -> list[NDArray[np.int64]]:
    """Return the batches of one epoch as ids of records."""
    ids = data.kept_ids
    return [ids[batch] for batch in batches(data, seed, epoch, size)]


def poisson_places(ids: NDArray[np.int64], seed: int, step: int, rate: float) -> NDArray[np.int64]:
    """Return the places of ``ids`` (n,) in one step's batch, in ascending order and maybe none.

    Each is in with probability ``rate``, by a draw keyed by (seed, step, id): whoever else is there does not matter.
    """
    return np.flatnonzero(keyed_uniforms(seed, step, ids) < rate)


def poisson_batches(data: TrainingSet, seed: int, steps: int, rate: float) -> Iterator[NDArray[np.int64]]:
    """Yield the batch of each step as rows of ``data.x``; a record's own batches are the same with or without others.

    So the orders ``slot`` and ``compact`` are one here.
    """
    for step in range(steps):
        yield poisson_places(data.kept_ids, seed, step, rate)
