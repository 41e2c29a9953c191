"""The k nearest neighbours: a model that is its training records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.models import FitTask, SeedUse, TargetModel
from unlearnbench.core.posteriors import log_of
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.scaling import Scaler, Standardizer
from unlearnbench.engine.sklearn_model import require_records

_BLOCK = 2**22
"""How many distances are held at once."""


@dataclass(frozen=True, eq=False)
class FittedNeighbours:
    """Records that vote."""

    data: TrainingSet
    standardizer: Standardizer
    k: int
    scaler: Scaler

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log of the classes' shares among the k nearest records (n, n_classes); zeros get the floor."""
        votes = np.eye(self.data.n_classes)[self.data.records.y[self._ids]]
        shares = [nearest(block, self._k) @ votes / self._k for block in self._distances(x)]
        return log_of(np.concatenate(shares) if shares else np.empty((0, self.data.n_classes)))

    def moved_to(self, data: TrainingSet) -> FittedNeighbours:
        """Return the model of other records."""
        return memorize(data, self.k, self.scaler)

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        return np.sort(self.data.kept_ids)

    @property
    def _k(self) -> int:
        return min(self.k, len(self._ids))

    @cached_property
    def _rows(self) -> NDArray[np.float64]:
        return self.standardizer(self.data.records.x[self._ids])

    def _distances(self, x: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
        """Yield squared distances (some of n, m) to the records in the order of their ids.

        Summed feature by feature, so that equal records are equally far, to the bit, in any company.
        """
        from scipy.spatial.distance import cdist

        asked, size = self.standardizer(x), max(1, _BLOCK // len(self._rows))
        for start in range(0, len(asked), size):
            yield cdist(asked[start : start + size], self._rows, "sqeuclidean")


def nearest(distances: NDArray[np.float64], k: int) -> NDArray[np.bool_]:
    """Return which columns of ``distances`` (n, m) are the k smallest of each row; of equal ones the first."""
    last = np.partition(distances, k - 1, axis=1)[:, k - 1 : k]
    nearer, tied = distances < last, distances == last
    places = k - nearer.sum(axis=1, keepdims=True)
    return np.asarray(nearer | (tied & (tied.cumsum(axis=1) <= places)))


def memorize(data: TrainingSet, k: int, scaler: Scaler) -> FittedNeighbours:
    """Return the model of these records; UserError for none."""
    require_records(data)
    return FittedNeighbours(data, Standardizer.for_training(data, scaler), k, scaler)


@dataclass(frozen=True)
class NearestNeighbours(TargetModel):
    """The k nearest neighbours by Euclidean distance on standardized features; posteriors are shares of their votes.

    Of records that are equally far, those with the lower ids are nearer: the record's row in the data set decides, and
    not the training order, so ``same``, ``fresh``, ``slot`` and ``compact`` are bitwise one model. Where there are
    fewer than k records, all vote. The model is its records, so any can be dropped (``decremental``).

    With ``scaler: original`` a deleted record leaves its share in the means and deviations of the features.

    Source: Cover and Hart 1967, doi 10.1109/TIT.1967.1053964; ``k`` is scikit-learn's default.

    ``k``: neighbours that vote

    ``scaler``: whose statistics scale an unlearned model's features: the original's training set or its own records
    """

    k: PositiveInt = 5
    scaler: Scaler = "original"

    seeds_used: ClassVar[frozenset[SeedUse]] = frozenset()
    decremental: ClassVar[bool] = True

    def fit(self, task: FitTask, device: str) -> FittedNeighbours:
        """Keep the records."""
        return memorize(task.data, self.k, self.scaler)
