"""Distances of records to the decision boundary of a model: what a search by labels alone finds, as attacks read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays


@dataclass(frozen=True, eq=False)
class BoundaryDistances(ReadOnlyArrays):
    """How far n records are from the nearest point found that the models they were queried from label otherwise.

    Distances are Euclidean, in standard deviations of each feature over the data set. A record whose label a model does
    not give has distance 0. Where no such point was found, the distance is that of the farthest point that could have
    been asked about.
    """

    before: NDArray[np.float64]
    """Distances (n,) under the original; (0,) where the needs do not declare it."""
    after: NDArray[np.float64]
    """Distances (n,) under the last unlearned version; (0,) where the needs do not declare it."""

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> BoundaryDistances:
        """Return the distances of chosen rows, in the order given."""
        before, after = (each[rows] if len(each) else each for each in (self.before, self.after))
        return BoundaryDistances(before, after)
