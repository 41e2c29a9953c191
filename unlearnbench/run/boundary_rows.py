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
from unlearnbench.run.query_set import Neighbourhood


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


def search_around(records: Records, around: Sequence[Neighbourhood], budget: int, seeds: SeedPath) -> BoundaryRows:
    """Search around the records that requests query. One that several query is searched once for each model."""
    found: dict[tuple[int, int], Search] = {}

    def search(fitted: Fitted, record: int) -> Search:
        key = id(fitted), record  # ``around`` keeps the models, so no other gets the same id
        if key not in found:
            found[key] = search_boundary(fitted, records, record, budget, seeds)
        return found[key]

    rows = [(one, record) for one in around for record in one.queried.ids.tolist()]
    return BoundaryRows.of([(search(one.original, record), search(one.last, record)) for one, record in rows])
