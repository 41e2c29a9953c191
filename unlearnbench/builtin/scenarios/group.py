"""Several records are deleted together."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request, Scenario
from unlearnbench.core.seeding import SeedPath


@dataclass(frozen=True)
class Group(Scenario):
    """Each request deletes ``size`` records from the original in one step; all of them are queried.

    The groups of one original do not overlap (Chen et al. 2021, section 6, group deletion).

    ``size``: records per request
    """

    size: PositiveInt = 10

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of records in all groups."""
        return self.size * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Split the shuffled deletable records into groups."""
        cuts = range(0, self.size * sizes.requests, self.size)
        return [Request((Step(pools.deletable[cut : cut + self.size]),)) for cut in cuts]
