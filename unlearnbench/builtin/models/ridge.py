"""Ridge regression on the classes: a model that is sums of products, from which a record can be subtracted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.records import TrainingSet, changes
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import require_records, training_table

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedRidge:
    """The sums of a training set, over features that are shifted and scaled so that no digits are lost."""

    frame: Standardizer
    """What shifts and scales features before they are added; it does not change the model."""
    products: Floats
    """(D, D): the sum of x x', x (D,) the features and a 1."""
    targets: Floats
    """(D, C): the sum of x e', e (C,) the class's unit vector."""
    data: TrainingSet
    """The records that the sums are of."""
    c: float

    def log_posteriors(self, x: Floats) -> Floats:
        """Return the log of the scores (n, n_classes), cut at 0 and divided by their sum."""
        scores = np.maximum(_with_one(self.frame(x)) @ self._weights, 0.0)
        return log_of(scores / scores.sum(axis=1, keepdims=True))

    def moved_to(self, data: TrainingSet) -> FittedRidge:
        """Return the model of other records: what differs is subtracted and added."""
        require_records(data)
        gone, new = changes(self.data, data)
        return replace(self, data=data)._plus(gone, -1.0)._plus(new, 1.0)

    def _plus(self, ids: NDArray[np.int64], sign: float) -> FittedRidge:
        records = self.data.records
        rows, classes = _with_one(self.frame(records.x[ids])), np.eye(records.n_classes)[records.y[ids]]
        return replace(
            self,
            products=self.products + sign * rows.T @ rows,
            targets=self.targets + sign * rows.T @ classes,
        )

    @cached_property
    def _weights(self) -> Floats:
        """The weights (D, C): least squares plus |w|^2 / c on features of the records' own deviations."""
        n, means = self.products[-1, -1], self.products[-1, :-1] / self.products[-1, -1]
        variances = np.maximum(np.diag(self.products)[:-1] / n - means**2, 0.0)
        constant = variances <= _CONSTANT * (1 + means**2)
        ridge = np.append(np.where(constant, 1.0, variances) / self.c, 0.0)
        return np.asarray(np.linalg.solve(self.products + np.diag(ridge), self.targets))


_CONSTANT = 1e-12
"""The variance, in units of the frame, up to which a feature counts as constant."""


def _with_one(z: Floats) -> Floats:
    return np.column_stack([z, np.ones(len(z))])


@dataclass(frozen=True)
class Ridge(TargetModel):
    """Ridge regression of the classes' unit vectors on standardized features; scores are the posteriors.

    Minimizes the squared error summed over records and classes plus ``|w|^2 / c``, intercepts unpenalized, each feature
    divided by its deviation in the model's own records. Scores sum to 1; negative ones are cut at 0, and the others
    divided by their sum. Nothing is drawn and the order does not matter: ``same``, ``fresh``, ``slot`` and ``compact``
    are one model, to rounding. The model is sums over its records, so records can be subtracted (``decremental``): what
    the formula of Woodbury gives for leaving records out.

    Source: Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634.

    ``c``: inverse strength of the L2 penalty
    """

    c: PositiveFloat = 1.0

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset()
    decremental: ClassVar[bool] = True

    def fit(self, task: FitTask, device: str) -> FittedRidge:
        """Add up the records."""
        x, _ = training_table(task.data)
        frame, size = Standardizer.of(x), x.shape[1] + 1
        empty = FittedRidge(frame, np.zeros((size, size)), np.zeros((size, task.data.n_classes)), task.data, self.c)
        return empty._plus(task.data.kept_ids, 1.0)
