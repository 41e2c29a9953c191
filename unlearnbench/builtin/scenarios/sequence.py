"""Records are deleted in several steps, and every step gives a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.versions import Sees


@dataclass(frozen=True)
class Sequence(Scenario):
    """Each request deletes ``size`` records in each of ``versions`` steps, each step from the previous version.

    Positive: a record forgotten in any of the steps (in ... in, out ... out). Negative: a random unseen one (out in all
    versions). The forgotten records are in the order of the steps, so that ``position // size`` is the step that
    deleted one. No record is deleted from an original twice (Chen et al. 2021, section 6, multiple intermediate
    versions).

    If the unlearner retrains, an adversary that queries only the last version is that of ``group``. The paper's code
    measures multiple versions in this way, on one record of the group.

    ``versions``: steps of a request

    ``size``: records deleted in each step

    ``sees``: the unlearned versions that the adversary queries: all, or only the last
    """

    versions: Annotated[int, Field(ge=2)] = 3
    size: PositiveInt = 1
    sees: Sees = "all"

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return the number of records that all steps of all requests delete."""
        return self.versions * self.size * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Split the shuffled deletable records into requests, and these into steps."""
        cut = pools.deletable[: self.deletions_needed(sizes)].reshape(sizes.requests, self.versions, self.size)
        return [Request(tuple(Step(step) for step in steps)) for steps in cut]
