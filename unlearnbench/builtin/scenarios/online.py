"""Online learning: some records are deleted and others added."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request, Scenario
from unlearnbench.core.seeding import SeedPath


@dataclass(frozen=True)
class Online(Scenario):
    """Each request deletes ``delete`` records from the original and adds ``add`` other ones, in one step.

    Positive: a forgotten record (in, out). Negative: a random unseen one (out, out). The added ones (out, in) are
    queried too, but are neither positives nor negatives. No record is deleted from an original, or added to it, twice
    (Chen et al. 2021, section 6, online learning).

    ``delete``: records that a request deletes

    ``add``: records that it adds
    """

    delete: PositiveInt = 1
    add: PositiveInt = 1

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of records that all requests delete."""
        return self.delete * sizes.requests

    def additions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of records that all requests add."""
        return self.add * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Split the shuffled deletable and addable records into groups."""
        old = pools.deletable[: self.deletions_needed(sizes)].reshape(sizes.requests, self.delete)
        new = pools.addable[: self.additions_needed(sizes)].reshape(sizes.requests, self.add)
        return [Request((Step(forget, add),)) for forget, add in zip(old, new, strict=True)]
