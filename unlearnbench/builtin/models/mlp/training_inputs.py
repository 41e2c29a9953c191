"""What the fast path trains networks on, prepared once for all tasks that share it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.batches import poisson_rows, shuffled
from unlearnbench.engine.deltas import KEPT, MASKED, Bases
from unlearnbench.engine.mlp.layout import Layers, padded_rows
from unlearnbench.engine.mlp.private import PrivateTrainingInputs
from unlearnbench.engine.mlp.simd import Floats
from unlearnbench.engine.mlp.train import TrainingInputs
from unlearnbench.engine.privacy import PrivateRun
from unlearnbench.engine.scaling import Scaler, Standardizer

_SHARED = 8  # bases, scalers or seeds whose tables are kept; tasks of an episode come one after the other


class SharedInputs:
    """The training inputs of one call.

    A task's base is its original's training set, or its own where it has other records or another order of records.
    The choice does not change the task's batches.
    """

    def __init__(self, epochs: int, scaler: Scaler) -> None:
        self.epochs = epochs
        self.scaler = scaler
        self._bases = Bases()
        # Caches of this call. Their keys compare by identity, and stay alive because the caches hold them.
        self._fit = lru_cache(_SHARED)(Standardizer.for_training)
        self._rows = lru_cache(_SHARED)(_rows)
        self._orders = lru_cache(_SHARED)(_orders)
        self._draws = lru_cache(_SHARED)(_draws)

    def standardizer(self, data: TrainingSet) -> Standardizer:
        """Return the scaler of a network that is trained on ``data`` from scratch."""
        return self._fit(self._bases.of(data.original).data if self.scaler == "original" else data, self.scaler)

    def for_task(self, task: FitTask, start: Layers, standardizer: Standardizer) -> TrainingInputs:
        """Return the inputs of a task that starts from these layers, behind this scaler."""
        base, status = self._base(task.data)
        x, labels = self._rows(base, standardizer)
        return TrainingInputs(start, x, labels, status, self._orders(base, task.seeds.order, self.epochs))

    def for_private_task(
        self, task: FitTask, start: Layers, standardizer: Standardizer, run: PrivateRun
    ) -> PrivateTrainingInputs:
        """Return the inputs of a task that is trained by DP-SGD."""
        base, status = self._base(task.data)
        x, labels = self._rows(base, standardizer)
        rows, steps = self._draws(base, task.seeds.order, run)
        kept = status[rows] == KEPT
        begins = np.searchsorted(steps[kept], np.arange(run.steps + 1))
        return PrivateTrainingInputs(start, x, labels, rows[kept], begins)

    def _base(self, data: TrainingSet) -> tuple[TrainingSet, NDArray[np.uint8]]:
        """Return a task's base and the status of the base's rows in the task's training set."""
        base = self._bases.of(data.original)
        status = base.row_status(data)
        if status is None:
            return data, np.where(data.mask, KEPT, MASKED).astype(np.uint8)
        return base.data, status


def _rows(base: TrainingSet, standardizer: Standardizer) -> tuple[Floats, NDArray[np.int64]]:
    return padded_rows(standardizer(base.records.x[base.ids])), base.records.y[base.ids]


def _orders(base: TrainingSet, seed: int, epochs: int) -> NDArray[np.int32]:
    return np.array([shuffled(base.ids, seed, epoch) for epoch in range(epochs)], dtype=np.int32)


def _draws(base: TrainingSet, seed: int, run: PrivateRun) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of all Poisson batches, one batch after the other, and the step of each row."""
    drawn = [poisson_rows(base.ids, seed, step, run.sample_rate) for step in range(run.steps)]
    return np.concatenate(drawn), np.repeat(np.arange(run.steps), [len(rows) for rows in drawn])
