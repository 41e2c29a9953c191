"""Target models that are scikit-learn classifiers: an author writes only the estimator."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_of, spread_classes
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.precision import in_float32


def as_table(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return records of any shape (n, ...) as rows of features (n, d)."""
    return x.reshape(len(x), math.prod(x.shape[1:]))


def require_records(data: TrainingSet) -> None:
    """Raise :class:`UserError` for a training set without a record to learn from."""
    if not len(data):
        raise UserError("a training set has no record left to learn from: delete fewer records, or cut fewer shards")


def training_table(data: TrainingSet) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return features (m, d) and labels (m,) of the records to learn from; an empty set is a :class:`UserError`."""
    require_records(data)
    return as_table(data.x), data.y


@dataclass(frozen=True)
class Constant:
    """The model of records that all have one label: it predicts that label for every record."""

    label: int
    """The label."""
    n_classes: int
    """The number of classes of the data set."""

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-probability 0 for the one label and the floor for the others, (n, n_classes)."""
        return np.tile(log_of(np.arange(self.n_classes) == self.label), (len(x), 1))


@dataclass(frozen=True, eq=False)
class SklearnFitted:
    """A fitted scikit-learn classifier whose labels are a subset of ``range(n_classes)``."""

    estimator: Any
    n_classes: int

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-posteriors (n, n_classes); a class that the training records lacked gets the floor."""
        posteriors = self.estimator.predict_proba(self.table(x))
        return log_of(spread_classes(posteriors, self.estimator.classes_, self.n_classes))

    def table(self, x: NDArray[np.float64]) -> NDArray[np.floating]:
        """Return records (n, ...) as the estimator takes them: rows of features (n, d)."""
        return as_table(x)


class SklearnTrees(SklearnFitted):
    """Fitted trees, which compare features as float32."""

    def table(self, x: NDArray[np.float64]) -> NDArray[np.floating]:
        """Return rows (n, d) of float32; UserError where a feature is too large, as on the fast path."""
        return in_float32(as_table(x))


class SklearnModel(TargetModel):
    """A target model that is a scikit-learn classifier. Authors must write only ``estimator``.

    Records with one label only give a :class:`Constant`, as many classifiers refuse them. Records are passed in
    training order, deleted ones left out, so ``slot`` and ``compact`` are the same run. This is correct only for
    estimators whose draws do not depend on the number of rows: one that bags, subsamples or splits off a validation
    part must override ``orders`` with ``frozenset({"fresh"})``.
    """

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset({"init"})

    @abstractmethod
    def estimator(self, seed: int) -> Any:
        """Return an unfitted classifier with ``predict_proba``; ``seed`` (32 bits) is for its ``random_state``."""

    def fit(self, task: FitTask, device: str) -> Fitted:  # noqa: ARG002 - scikit-learn runs on the CPU
        """Fit one estimator on the records to learn from."""
        x, y = training_table(task.data)
        if (y == y[0]).all():
            return Constant(int(y[0]), task.data.n_classes)
        return SklearnFitted(self.estimator(task.seeds.init).fit(x, y), task.data.n_classes)
