"""Methods whose theory covers an original that they train themselves, a logistic regression with known constants."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet, changes
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import State, Unlearner
from unlearnbench.engine.logistic.bounded import Bounded, FittedBounded, Problem
from unlearnbench.engine.scaling import Standardizer

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trained:
    """What a method makes of a problem."""

    problem: Problem
    weights: Floats
    """(K, D): what the next step starts from."""
    published: Floats
    """(K, D): what answers; with noise where the method adds some."""
    read: float
    """Of how many records gradients were computed since the model before, or in training; with repetitions."""
    memory: Any = None
    """What else the next step needs."""


@dataclass(frozen=True, eq=False)
class Change:
    """One step of a request."""

    problem: Problem
    """That of the records which are left, and of those that the step adds."""
    gone: Problem
    """That of the records which go, of which there may be none."""
    new: Problem
    """That of the records which are added, of which there may be none."""

    @property
    def size(self) -> int:
        """How many records go or are added."""
        return self.gone.n + self.new.n


@dataclass(frozen=True, eq=False)
class OwnState:
    """A model of a method that trains its own original."""

    trained: Trained
    data: TrainingSet
    bounded: Bounded
    training: float
    """How often the original's training computed the gradient of a record; a retraining is taken to do so too."""
    passes: float = math.nan
    """See :class:`~unlearnbench.core.unlearners.CountsPasses`."""

    @property
    def fitted(self) -> FittedBounded:
        """The model that is queried."""
        return FittedBounded(self.trained.published, self.bounded)

    def after(self, step: Step) -> tuple[TrainingSet, Change]:
        """Return the training set after a step, and what changes; UserError where no record is left."""
        data = self.data.after(step)
        problem = Problem.of(data, self.bounded, self.trained.problem.penalty, self.trained.problem.tilt)
        gone, new = (self._part(ids) for ids in changes(self.data, data))
        return data, Change(problem, gone, new)

    def _part(self, ids: NDArray[np.int64]) -> Problem:
        records, problem = self.data.records, self.trained.problem
        return replace(problem, rows=self.bounded.rows(records.x[ids]), signs=self.bounded.signs(records.y[ids]))


class OwnOriginal(Unlearner):
    """A method on its own original. Authors must write ``train`` and ``unlearn``.

    The target model gives the penalty, 1 / (c n) of the n records of the original, which stays as it is. Its scaler is
    that of the original, whatever the target model says.
    """

    @abstractmethod
    def train(self, problem: Problem, seeds: SeedPath) -> Trained:
        """Return the original."""

    @abstractmethod
    def unlearn(self, before: Trained, change: Change, seeds: SeedPath) -> Trained:
        """Return the model after a step in which something changes."""

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse what is no logistic regression."""
        if isinstance(model, LogisticRegression):
            return None
        return f"needs logistic-regression, whose loss is convex; {type(model).__name__} is another model"

    def prepare(self, original: Original) -> OwnState:
        """Train the method's own original; that of the target model is not trained for it."""
        model, data = original.model, original.data
        if not isinstance(model, LogisticRegression):
            raise TypeError(f"{type(model).__name__} should have been refused")
        bounded = Bounded(Standardizer.for_training(data, "original"), data.n_classes)
        problem = Problem.of(data, bounded, 1 / (model.c * len(data)))
        trained = self.train(problem, original.seeds / "own-original")
        return OwnState(trained, data, bounded, trained.read / problem.n)

    def serve(self, state: State, step: Step, seeds: SeedPath) -> OwnState:
        """Serve one step; one that changes nothing leaves the model as it is."""
        if not isinstance(state, OwnState):
            raise TypeError(f"serves its own states, got {type(state).__name__}")
        data, change = state.after(step)
        if not change.size:
            return replace(state, data=data, passes=0.0)
        trained = self.unlearn(state.trained, change, seeds)
        return replace(state, trained=trained, data=data, passes=trained.read / (state.training * change.problem.n))


def normals(shape: tuple[int, ...], sigma: float, seeds: SeedPath) -> Floats:
    """Return noise N(0, sigma^2) of this shape."""
    return np.asarray(sigma * seeds.rng().standard_normal(shape))
