"""Online learning: while records are deleted, new ones come in."""

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
    """Each request deletes ``delete`` records from the original and adds ``add`` that it never saw, in one step.

    Positive: a forgotten record (in, out). Negative: a random unseen one (out, out). The added ones (out, in) are
    queried in a role of their own and take no part in the game. No record is deleted from an original, or added to
    it, twice (Chen et al. 2021, section 6, online learning).

    ``delete``: records that a request deletes

    ``add``: records that it adds
    """

    delete: PositiveInt = 1
    add: PositiveInt = 1

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many records all requests delete."""
        return self.delete * sizes.requests

    def additions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many records all requests add."""
        return self.add * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Cut the shuffled targets and spare records into groups."""
        old = pools.deletable[: self.deletions_needed(sizes)].reshape(sizes.requests, self.delete)
        new = pools.addable[: self.additions_needed(sizes)].reshape(sizes.requests, self.add)
        return [Request((Step(forget, add),)) for forget, add in zip(old, new, strict=True)]
