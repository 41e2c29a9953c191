from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records


class SpyFitted:
    """A model whose answers depend on its records, its seeds and its start, and that counts how often it is asked."""

    def __init__(self, task: FitTask) -> None:
        self.task = task
        self.asked = 0

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        self.asked += 1
        seeds = self.task.seeds
        slope = self.task.data.x.mean() + (seeds.init + 2 * seeds.order + 3 * seeds.noise) % 1009 / 1009
        logits = np.outer(x[:, 0] * slope, np.arange(self.task.data.n_classes))
        return log_softmax(logits + (self.task.start.log_posteriors(x) if self.task.start else 0))


class Spy(TargetModel):
    """Counts what it is asked to train: ``batches`` holds the tasks of each call."""

    continues = True

    def __init__(self, seeds_used: Sequence[str] = ("init", "order", "noise")) -> None:
        self.seeds_used = frozenset(seeds_used)
        self.batches: list[list[FitTask]] = []

    @property
    def tasks(self) -> list[FitTask]:
        return [task for batch in self.batches for task in batch]

    def fit(self, task: FitTask, device: str) -> SpyFitted:
        raise AssertionError("the engine trains through fit_many only, so that all models come from one engine")

    def fit_many(self, tasks: Sequence[FitTask], device: str) -> list[SpyFitted]:
        self.batches.append(list(tasks))
        return [SpyFitted(task) for task in tasks]


@pytest.fixture
def spy() -> type[Spy]:
    return Spy


@pytest.fixture
def records() -> Records:
    x = np.random.default_rng(0).normal(size=(60, 2))
    return Records("toy", x, np.arange(60) % 3, 3, Provenance("made up", "CC0"))
