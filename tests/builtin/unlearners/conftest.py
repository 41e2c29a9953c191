from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.engine.sklearn_model import SklearnModel


class SpyFitted:
    """A model whose answers depend on the mean of its records, its seeds and its start."""

    def __init__(self, task: FitTask) -> None:
        self.task = task

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        seeds = self.task.seeds
        slope = self.task.data.x.mean() + (seeds.init + 2 * seeds.order + 3 * seeds.noise) % 1009 / 1009
        logits = np.outer(x[:, 0] * slope, np.arange(self.task.data.n_classes))
        return log_softmax(logits + (self.task.start.log_posteriors(x) if self.task.start else 0))


class Spy(TargetModel):
    """Writes down every task it is given."""

    def __init__(self, seeds_used: Sequence[SeedUse] = ("init",), continues: bool = False) -> None:
        self.seeds_used = frozenset(seeds_used)  # type: ignore[misc]  # each spy has its own
        self.continues = continues  # type: ignore[misc]  # each spy has its own
        self.tasks: list[FitTask] = []

    def fit(self, task: FitTask, device: str) -> SpyFitted:
        self.tasks.append(task)
        return SpyFitted(task)


class Tree(SklearnModel):
    """A small tree, the same however many are grown together."""

    def estimator(self, seed: int) -> object:
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_leaf_nodes=5, random_state=seed)


@pytest.fixture
def tree() -> Tree:
    return Tree()


@pytest.fixture
def spy() -> type[Spy]:
    return Spy


@pytest.fixture
def records() -> Records:
    x = np.random.default_rng(0).normal(size=(80, 2))
    return Records("toy", x, np.arange(80) % 3, 3, Provenance("made up", "CC0"))


@pytest.fixture
def data(records: Records) -> TrainingSet:
    """Return forty records in an order of their own; ids 40 to 79 are left to be added."""
    return TrainingSet.of(records, np.random.default_rng(1).permutation(40))
