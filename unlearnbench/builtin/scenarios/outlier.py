"""Unusual records are deleted: those that are far from all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.builtin.scenarios.shares import Share
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario, lowest


@dataclass(frozen=True)
class Outlier(StratumScenario):
    """Each request deletes ``size`` of the records that are farthest from their ``k``-th nearest neighbour.

    Neighbours are other candidates, trained on or unseen, by Euclidean distance on standardized features. Negatives are
    unseen records of the same ``share``. Source: Ramaswamy et al. 2000, SIGMOD, for the score.

    ``size``: records per request; null for all outliers, in one request

    ``share``: of the candidates that count as outliers

    ``k``: which neighbour
    """

    size: PositiveInt | None = 1
    share: Share = 0.1
    k: PositiveInt = 5

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the outliers."""
        k = min(self.k, len(candidates.ids) - 1)
        farthest = lowest(-neighbours(candidates, k)[0][:, -1], self.share, seeds)
        return [candidates.ids[np.sort(farthest)]]


def neighbours(candidates: Candidates, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return distance and position (n, k) of the ``k`` nearest other candidates of each, the nearest first.

    Features are standardized over the candidates.
    """
    from sklearn.neighbors import NearestNeighbors

    x = candidates.x.reshape(len(candidates.ids), -1)
    spread = x.std(axis=0)
    scaled = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    distance, position = NearestNeighbors(n_neighbors=k).fit(scaled).kneighbors()
    return distance, position
