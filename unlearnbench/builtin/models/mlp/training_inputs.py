"""What the fast path trains networks on, prepared once for all tasks that share it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.batches import poisson_places, shuffled
from unlearnbench.engine.deltas import KEPT, MASKED, Bases
from unlearnbench.engine.mlp.fit import Course
from unlearnbench.engine.mlp.layout import Layers, rows_in_lanes
from unlearnbench.engine.mlp.private import PrivateCourse
from unlearnbench.engine.mlp.simd import Floats
from unlearnbench.engine.privacy import PrivateRun
from unlearnbench.engine.scaling import Scaler, Standardizer

_SHARED = 8  # bases, scalers or seeds whose tables are kept; tasks of an episode come one after the other


class Courses:
    """The courses of one call. A task's base is its original's training set, of which it leaves some records out.

    One that has other records, or another sequence, is its own base; either way it gets the same course.
    """

    def __init__(self, epochs: int, scaler: Scaler) -> None:
        self.epochs = epochs
        self.scaler = scaler
        self._bases = Bases()
        # Caches of this call: their keys compare by identity, and are kept alive by being keys.
        self._fit = lru_cache(_SHARED)(Standardizer.for_training)
        self._rows = lru_cache(_SHARED)(_rows)
        self._orders = lru_cache(_SHARED)(_orders)
        self._draws = lru_cache(_SHARED)(_draws)

    def standardizer(self, data: TrainingSet) -> Standardizer:
        """Return the scaler that a network trained on ``data`` from scratch has."""
        return self._fit(self._bases.of(data.original).data if self.scaler == "original" else data, self.scaler)

    def course(self, task: FitTask, start: Layers, standardizer: Standardizer) -> Course:
        """Return how to train for a task from these layers behind this scaler."""
        base, fate = self._base(task.data)
        x, labels = self._rows(base, standardizer)
        return Course(start, x, labels, fate, self._orders(base, task.seeds.order, self.epochs))

    def private_course(
        self, task: FitTask, start: Layers, standardizer: Standardizer, run: PrivateRun
    ) -> PrivateCourse:
        """Return how to train for a task by DP-SGD."""
        base, fate = self._base(task.data)
        x, labels = self._rows(base, standardizer)
        places, steps = self._draws(base, task.seeds.order, run)
        kept = fate[places] == KEPT
        begins = np.searchsorted(steps[kept], np.arange(run.steps + 1))
        return PrivateCourse(start, x, labels, places[kept], begins)

    def _base(self, data: TrainingSet) -> tuple[TrainingSet, NDArray[np.uint8]]:
        base = self._bases.of(data.original)
        status = base.row_status(data)
        if status is None:
            return data, np.where(data.mask, KEPT, MASKED).astype(np.uint8)
        return base.data, status


def _rows(base: TrainingSet, standardizer: Standardizer) -> tuple[Floats, NDArray[np.int64]]:
    return rows_in_lanes(standardizer(base.records.x[base.ids])), base.records.y[base.ids]


def _orders(base: TrainingSet, seed: int, epochs: int) -> NDArray[np.int32]:
    return np.array([shuffled(base.ids, seed, epoch) for epoch in range(epochs)], dtype=np.int32)


def _draws(base: TrainingSet, seed: int, run: PrivateRun) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of all Poisson batches, one after the other, and the step of each."""
    drawn = [poisson_places(base.ids, seed, step, run.sample_rate) for step in range(run.steps)]
    return np.concatenate(drawn), np.repeat(np.arange(run.steps), [len(places) for places in drawn])
