"""One record is deleted at a time: the main setting of Chen et al. 2021."""

from __future__ import annotations

from dataclasses import dataclass

from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request, Scenario
from unlearnbench.core.seeding import SeedPath


@dataclass(frozen=True)
class Single(Scenario):
    """Each request deletes one record from the original, no record twice (Chen et al. 2021, section 4)."""

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of requests: each deletes one record."""
        return sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Take the first of the shuffled deletable records, one per request."""
        return [Request((Step(pools.deletable[r : r + 1]),)) for r in range(sizes.requests)]
