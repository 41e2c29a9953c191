"""Gaussian naive Bayes: sums of each class, from which a record can be subtracted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet, changes
from unlearnbench.engine.precision import require_held
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import as_table, require_records, training_table

Floats = NDArray[np.float64]

_LARGEST, _TOO_LARGE = 1e150, "too large to square"


@dataclass(frozen=True, eq=False)
class ClassSums:
    """What records of each of the C classes add up to, shifted so that no digits are lost."""

    shift: Floats
    """(C, d): what is subtracted from a record of each class before it is added."""
    count: Floats
    """(C,): how many records a class has."""
    first: Floats
    """(C, d): the sum of the shifted features."""
    second: Floats
    """(C, d): the sum of their squares."""

    @classmethod
    def of(cls, x: Floats, y: NDArray[np.int64], n_classes: int) -> ClassSums:
        """Add up records (n, d); the shift of a class is its mean, or that of all records where it has none."""
        require_held(x, np.abs(x) <= _LARGEST, _TOO_LARGE)
        members = _members(y, n_classes)
        count = members.sum(axis=1)
        mean = members @ x / np.maximum(count, 1)[:, None]
        shift = np.where(count[:, None] > 0, mean, x.mean(axis=0))
        return cls(shift, 0 * count, np.zeros_like(shift), np.zeros_like(shift)).plus(x, y)

    def plus(self, x: Floats, y: NDArray[np.int64], sign: float = 1.0) -> ClassSums:
        """Add records (n, d), or subtract them with sign -1; UserError where squares are too large for float64."""
        require_held(x, np.abs(x) <= _LARGEST, _TOO_LARGE)
        members, shifted = sign * _members(y, len(self.count)), x - self.shift[y]
        return replace(
            self,
            count=self.count + members.sum(axis=1),
            first=self.first + members @ shifted,
            second=self.second + members @ shifted**2,
        )

    @cached_property
    def mean(self) -> Floats:
        """The mean (C, d) of each class."""
        return np.asarray(self.shift + self._shifted_mean)

    @cached_property
    def variance(self) -> Floats:
        """The variance (C, d) of each class, 0 for a class of no record."""
        return np.asarray(np.maximum(self.second / self._divisor - self._shifted_mean**2, 0.0))

    def overall(self) -> Standardizer:
        """Return mean and deviation (d,) of all records; a feature that is constant up to rounding has scale 0."""
        share = (self.count / self.count.sum())[:, None]
        mean = (share * self.mean).sum(axis=0)
        scale = np.sqrt((share * (self.variance + (self.mean - mean) ** 2)).sum(axis=0))
        constant = scale <= 10 * np.finfo(np.float64).eps * np.abs(mean)
        return Standardizer(mean, np.where(constant, 0.0, scale))

    @property
    def _shifted_mean(self) -> Floats:
        return np.asarray(self.first / self._divisor)

    @property
    def _divisor(self) -> Floats:
        return np.maximum(self.count, 1)[:, None]


def _rows(data: TrainingSet, ids: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    return as_table(data.records.x[ids]), data.records.y[ids]


def _members(y: NDArray[np.int64], n_classes: int) -> Floats:
    return np.asarray(np.arange(n_classes)[:, None] == y, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class FittedNaiveBayes:
    """The sums of a training set."""

    sums: ClassSums
    data: TrainingSet
    """The records that the sums are of."""
    smoothing: float

    def log_posteriors(self, x: Floats) -> Floats:
        """Return log-posteriors (n, n_classes); a class without a record gets the floor."""
        z = self._standardizer(x)
        pairs = zip(self._centers, self._precisions, strict=True)
        distances = np.stack([((z - center) ** 2 @ precision) for center, precision in pairs], axis=1)
        return log_softmax(self._offsets - distances / 2)

    def moved_to(self, data: TrainingSet) -> FittedNaiveBayes:
        """Return the model of other records: what differs is subtracted and added."""
        require_records(data)
        gone, new = changes(self.data, data)
        sums = self.sums.plus(*_rows(data, gone), -1.0).plus(*_rows(data, new))
        return FittedNaiveBayes(sums, data, self.smoothing)

    @cached_property
    def _standardizer(self) -> Standardizer:
        overall = self.sums.overall()
        return replace(overall, scale=np.where(overall.scale > 0, overall.scale, 1.0))

    @cached_property
    def _centers(self) -> Floats:
        return np.asarray(self._standardizer(self.sums.mean))

    @cached_property
    def _precisions(self) -> Floats:
        """The inverse variances (C, d) of standardized features; 0 for a constant one, which tells nothing."""
        variances = self.sums.variance / self._standardizer.scale**2 + self.smoothing
        return np.asarray(np.where(self.sums.overall().scale > 0, 1 / variances, 0.0))

    @cached_property
    def _offsets(self) -> Floats:
        """The log of each class's share and of its densities' factors (C,), but for what all classes have."""
        factors = np.log(self._precisions, out=np.zeros_like(self._precisions), where=self._precisions > 0)
        with np.errstate(divide="ignore"):  # a class of no record has the log-share -inf
            return np.asarray(np.log(self.sums.count / self.sums.count.sum()) + factors.sum(axis=1) / 2)


@dataclass(frozen=True)
class NaiveBayes(TargetModel):
    """Gaussian naive Bayes: the shares of the classes, and mean and variance of each feature in each class.

    Nothing is drawn and the order does not matter: ``same``, ``fresh``, ``slot`` and ``compact`` are one model, to
    rounding. The model is sums over its records, so records can be subtracted again (``decremental``). A class that is
    lacking gets the floor. A feature that is the same in all records tells nothing.

    Source: Cao and Yang, S&P 2015, doi 10.1109/SP.2015.35, for the sums; ``smoothing`` follows scikit-learn, but is
    relative to each feature.

    ``smoothing``: what is added to the variance of a feature in a class, as a share of its variance in all records
    """

    smoothing: PositiveFloat = 1e-9

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset()
    decremental: ClassVar[bool] = True

    def fit(self, task: FitTask, device: str) -> FittedNaiveBayes:
        """Add up the records."""
        x, y = training_table(task.data)
        return FittedNaiveBayes(ClassSums.of(x, y, task.data.n_classes), task.data, self.smoothing)
