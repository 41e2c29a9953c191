"""What the networks of a stack are trained on: one batch of each, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records
from unlearnbench.engine.mlp.bank import Standardize
from unlearnbench.engine.mlp.layout import Layers
from unlearnbench.engine.networks.training import unit_scales

if TYPE_CHECKING:
    import torch

Batches = Callable[[int], Sequence[NDArray[np.int64]]]
"""Returns the batches of an epoch, as ids of records."""


class Shape(NamedTuple):
    """What must agree within a stack, beside the widths."""

    records: int
    """The identity of the data set."""
    largest: int
    """The number of records in the largest batch."""
    steps: tuple[int, ...]
    """The number of steps in each epoch."""


@dataclass(frozen=True, eq=False)
class StackedJob:
    """One network to train in a stack."""

    start: Layers
    """The layers to start from."""
    records: Records
    """The data set."""
    standardize: Standardize
    """What scales its features."""
    batches: Batches
    """The batches of each epoch, none empty."""
    seed: int
    """The seed of dropout."""

    def shape(self, epochs: int) -> Shape:
        """Return the shape of its training."""
        sizes = [[len(batch) for batch in self.batches(epoch)] for epoch in range(epochs)]
        return Shape(id(self.records), max(map(max, filter(None, sizes)), default=0), tuple(map(len, sizes)))


class Batch(NamedTuple):
    """One step of K networks. Batches of fewer than B records are padded with a record of weight 0."""

    x: torch.Tensor
    """(K, B, d): features."""
    y: torch.Tensor
    """(K, B): labels."""
    weight: torch.Tensor
    """(K, B): one over the size of each network's batch."""
    scales: torch.Tensor | None
    """(K, B, hidden units): the factors of dropout, or None."""


class StackedJobs:
    """The jobs of one stack, all on one data set, with their tables on the device.

    The table of features has a part for each scaler that occurs, the table of dropout's factors one for each seed.
    Networks with the same scaler, or the same seed, share a part.
    """

    def __init__(self, jobs: Sequence[StackedJob], largest: int, dropout: float, device: str) -> None:
        """Take jobs of one shape, whose batches have ``largest`` records at most."""
        self.jobs = jobs
        self.largest = largest
        self.dropout = dropout
        self.device = device
        self._records = jobs[0].records
        self._seeds = list(dict.fromkeys(job.seed for job in jobs))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch."""
        rows, weights = self._plan(epoch)
        scales = self._scales(epoch)
        x, y, begin_x, begin_scales = self._tables
        for row, weight in zip(rows, weights, strict=True):
            yield Batch(x[begin_x + row], y[row], weight, None if scales is None else scales[begin_scales + row])

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """The ids (n,) of all records in any batch, ascending; the tables have a row for each."""
        found = [ids for job in {id(job): job for job in self.jobs}.values() for ids in job.batches(0)]
        return np.unique(np.concatenate([*found, np.empty(0, dtype=np.int64)]))

    @cached_property
    def _tables(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features, labels, and where each network's part of the features and of dropout's factors begins (K, 1)."""
        scalers = {id(job.standardize): job.standardize for job in self.jobs}
        raw = self._records.x[self._ids]
        x = np.concatenate([scale(raw).astype(np.float32) for scale in scalers.values()])
        parts = list(scalers)
        begin_x, begin_scales = (
            np.array([[len(self._ids) * index] for index in indices])
            for indices in (
                [parts.index(id(job.standardize)) for job in self.jobs],
                [self._seeds.index(job.seed) for job in self.jobs],
            )
        )
        y = self._records.y[self._ids]
        return self._on_device(x), self._on_device(y), self._on_device(begin_x), self._on_device(begin_scales)

    def _plan(self, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return which rows of the tables each step takes, and their weights, both (steps, K, B)."""
        drawn: dict[int, Sequence[NDArray[np.int64]]] = {}
        for job in self.jobs:
            drawn.setdefault(id(job), job.batches(epoch))  # the copies that fill a stack are one job
        plans = [drawn[id(job)] for job in self.jobs]
        shape = (len(plans[0]), len(plans), self.largest)
        rows, weights = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        for k, plan in enumerate(plans):
            for step, ids in enumerate(plan):
                rows[step, k, : len(ids)] = np.searchsorted(self._ids, ids)
                weights[step, k, : len(ids)] = 1 / len(ids)
        return self._on_device(rows), self._on_device(weights)

    def _scales(self, epoch: int) -> torch.Tensor | None:
        units = sum(len(bias) for _, bias in self.jobs[0].start[:-1])
        if not self.dropout or not units:
            return None
        shares = np.full(units, self.dropout)
        return self._on_device(np.concatenate([unit_scales(seed, epoch, self._ids, shares) for seed in self._seeds]))

    def _on_device(self, array: NDArray[np.generic]) -> torch.Tensor:
        import torch

        return torch.from_numpy(array).to(self.device)
