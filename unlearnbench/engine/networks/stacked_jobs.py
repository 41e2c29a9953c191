"""What the networks of a stack are trained on: a batch of each, put side by side."""

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
from unlearnbench.engine.networks.dropout import unit_scales

if TYPE_CHECKING:
    import torch

Batches = Callable[[int], Sequence[NDArray[np.int64]]]


class Shape(NamedTuple):
    """The data set's identity, the records of the largest batch, and the steps of each epoch."""

    records: int
    largest: int
    steps: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Lesson:
    """All that decides one network.

    ``start``: the layers to go on from · ``records``, ``standardize``: what it learns from and how it is scaled ·
    ``batches``: the ids of the records of each step of an epoch, none empty · ``seed``: of dropout.
    """

    start: Layers
    records: Records
    standardize: Standardize
    batches: Batches
    seed: int

    def shape(self, epochs: int) -> Shape:
        """Return what must agree within a stack beside the widths."""
        sizes = [[len(batch) for batch in self.batches(epoch)] for epoch in range(epochs)]
        return Shape(id(self.records), max(map(max, filter(None, sizes)), default=0), tuple(map(len, sizes)))


class Batch(NamedTuple):
    """One step of K networks, places to spare filled with a record of weight 0.

    ``x`` (K, B, d) · ``y`` (K, B) · ``weight`` (K, B): one over the size of each network's batch · ``scales``
    (K, B, hidden units) of dropout, or None.
    """

    x: torch.Tensor
    y: torch.Tensor
    weight: torch.Tensor
    scales: torch.Tensor | None


class Lessons:
    """The lessons of one stack, of one data set, with their tables on the device.

    A table has a part for each scaler, or for each seed of dropout, that occurs; networks that share one share a part.
    """

    def __init__(self, lessons: Sequence[Lesson], largest: int, dropout: float, device: str) -> None:
        """Take lessons of one shape, whose batches have ``largest`` records at most."""
        self.each = lessons
        self.largest = largest
        self.dropout = dropout
        self.device = device
        self._records = lessons[0].records
        self._seeds = list(dict.fromkeys(lesson.seed for lesson in lessons))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch; where lessons have none, there is none."""
        rows, weights = self._plan(epoch)
        scales = self._scales(epoch)
        x, y, begin_x, begin_scales = self._tables
        for row, weight in zip(rows, weights, strict=True):
            yield Batch(x[begin_x + row], y[row], weight, None if scales is None else scales[begin_scales + row])

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        """The ids (n,) of all records that a lesson has, ascending; the tables have a row for each."""
        met = [ids for lesson in {id(lesson): lesson for lesson in self.each}.values() for ids in lesson.batches(0)]
        return np.unique(np.concatenate([*met, np.empty(0, dtype=np.int64)]))

    @cached_property
    def _tables(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features, labels, and where each network's part of the features and of dropout's draws begins (K, 1)."""
        scalers = {id(lesson.standardize): lesson.standardize for lesson in self.each}
        raw = self._records.x[self._ids]
        x = np.concatenate([scale(raw).astype(np.float32) for scale in scalers.values()])
        part, seed = list(scalers), self._seeds
        begin_x, begin_scales = (
            np.array([[len(self._ids) * place] for place in places])
            for places in (
                [part.index(id(lesson.standardize)) for lesson in self.each],
                [seed.index(lesson.seed) for lesson in self.each],
            )
        )
        return self._there(x), self._there(self._records.y[self._ids]), self._there(begin_x), self._there(begin_scales)

    def _plan(self, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return which rows of the tables each step takes, and their weights, both (steps, K, B)."""
        drawn: dict[int, Sequence[NDArray[np.int64]]] = {}
        for lesson in self.each:
            drawn.setdefault(id(lesson), lesson.batches(epoch))  # the copies that fill a stack are one lesson
        plans = [drawn[id(lesson)] for lesson in self.each]
        shape = (len(plans[0]), len(plans), self.largest)
        rows, weights = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        for k, plan in enumerate(plans):
            for step, ids in enumerate(plan):
                rows[step, k, : len(ids)] = np.searchsorted(self._ids, ids)
                weights[step, k, : len(ids)] = 1 / len(ids)
        return self._there(rows), self._there(weights)

    def _scales(self, epoch: int) -> torch.Tensor | None:
        units = sum(len(bias) for _, bias in self.each[0].start[:-1])
        if not self.dropout or not units:
            return None
        shares = np.full(units, self.dropout)
        return self._there(np.concatenate([unit_scales(seed, epoch, self._ids, shares) for seed in self._seeds]))

    def _there(self, array: NDArray[np.generic]) -> torch.Tensor:
        import torch

        return torch.from_numpy(array).to(self.device)
