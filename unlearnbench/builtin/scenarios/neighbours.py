"""Records that resemble each other are deleted together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.scenarios.outlier import neighbours
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario


@dataclass(frozen=True)
class Neighbours(StratumScenario):
    """Each request deletes ``size`` of the ``k`` nearest neighbours of one record, which itself is not deleted.

    That record is drawn anew for each request, from all candidates. Neighbours are by Euclidean distance on
    standardized features. Negatives are unseen records among the same neighbours.

    ``size``: records per request; null for all neighbours that were trained on

    ``k``: how many neighbours, trained on or unseen
    """

    size: PositiveInt | None = 5
    k: PositiveInt = 40

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the neighbours of each candidate, in random order of candidates."""
        _, position = neighbours(candidates, min(self.k, len(candidates.ids) - 1))
        return [candidates.ids[np.sort(position[one])] for one in seeds.permutation(len(candidates.ids))]
