"""What searches for the decision boundary found around queried records: made by an episode, and laid out for views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import ReadOnlyArrays
from unlearnbench.core.boundary import BoundaryDistances
from unlearnbench.core.models import Fitted
from unlearnbench.core.observations import Needs
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.boundary import Search, search_boundary


@dataclass(frozen=True, eq=False)
class BoundaryRows(ReadOnlyArrays):
    """What was found around the records of n rows, in the order of the rows of the observations."""

    distance: NDArray[np.float64]
    """Distances (n, 2) under the original and under the last unlearned version, see :class:`BoundaryDistances`."""
    queries: NDArray[np.int64]
    """How many points (n, 2) either model was asked about."""

    @classmethod
    def of(cls, searches: Sequence[tuple[Search, Search]]) -> BoundaryRows:
        """Lay out the two searches of each row."""
        distance = [[search.distance for search in row] for row in searches]
        queries = [[search.queries for search in row] for row in searches]
        return cls(np.array(distance).reshape(-1, 2), np.array(queries, dtype=np.int64).reshape(-1, 2))

    @classmethod
    def concatenate(cls, parts: Sequence[BoundaryRows]) -> BoundaryRows:
        """Stack the rows of several episodes."""
        return cls(np.concatenate([part.distance for part in parts]), np.concatenate([part.queries for part in parts]))

    def about(self, rows: NDArray[np.int64], needs: Needs) -> BoundaryDistances:
        """Return what an attack of these needs may read beside chosen rows."""
        before, after = self.distance[rows].T
        nothing = np.empty(0)
        return BoundaryDistances(before if needs.sees_original else nothing, after if needs.sees_unlearned else nothing)


class BoundarySearches:
    """Searches of one budget around records. A record that several requests query is searched once for each model."""

    def __init__(self, records: Records, budget: int, seeds: SeedPath) -> None:
        self._records = records
        self._budget = budget
        self._seeds = seeds
        self._found: dict[tuple[int, int], Search] = {}

    def around(self, record: int, fitted: Fitted) -> Search:
        """Return what is found around a record under a model, which must live as long as this."""
        key = id(fitted), record
        if key not in self._found:
            self._found[key] = search_boundary(fitted, self._records, record, self._budget, self._seeds)
        return self._found[key]
