"""Records that share a value: a class, or what a column holds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario


@dataclass(frozen=True)
class ByValue(StratumScenario):
    """The strata are the candidates of each value, in random order of values."""

    size: PositiveInt | None = 10

    @abstractmethod
    def values(self, candidates: Candidates) -> NDArray[np.generic]:
        """Return what each candidate holds (n,)."""

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the candidates of each value."""
        distinct, value = np.unique(self.values(candidates), return_inverse=True)
        return [candidates.ids[value == v] for v in seeds.permutation(len(distinct))]
