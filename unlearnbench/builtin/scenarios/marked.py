"""Records that the data set marks are deleted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario


@dataclass(frozen=True)
class MarkedRecords(StratumScenario):
    """The only stratum are the candidates that the data set marks; one that marks none is refused."""

    wanted: ClassVar[str]
    """The data set that is needed."""

    size: PositiveInt | None = 1

    @abstractmethod
    def mark(self, records: Records) -> NDArray[np.bool_] | None:
        """Return which records (n,) are marked; None where the data set does not say."""

    def refusal_of_records(self, records: Records) -> str | None:
        """Return that the data set does not say who is marked, or None where it does."""
        return None if self.mark(records) is not None else f"needs {self.wanted}; {records.name} does not"

    def eligible(self, records: Records) -> NDArray[np.bool_] | None:
        """Return which records (n,) are marked."""
        return self.mark(records)

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the marked candidates."""
        marked = self.mark(candidates.records)
        return [] if marked is None else [candidates.ids[marked[candidates.ids]]]
