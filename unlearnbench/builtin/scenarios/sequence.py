"""Records are deleted one step after the other, and every step gives a version."""

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
    """Each request deletes ``size`` records in each of ``versions`` steps, every step from the version before it.

    Positive: a record forgotten in any of the steps (in ... in, out ... out). Negative: a random unseen one (out all
    along). The forgotten stand in the order of the steps, so that ``position // size`` is the step that deleted one.
    No record is deleted from an original twice (Chen et al. 2021, section 6, multiple intermediate versions).

    An adversary that meets the last version only is that of ``group``, where the unlearner retrains: the paper's code
    measures its multiple versions so, and judges one of the group.

    ``versions``: steps of a request

    ``size``: records deleted in each step

    ``sees``: the unlearned versions that the adversary meets: all, or the last only
    """

    versions: Annotated[int, Field(ge=2)] = 3
    size: PositiveInt = 1
    sees: Sees = "all"

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        """Return how many records all steps of all requests delete."""
        return self.versions * self.size * sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        """Cut the shuffled targets into steps, and those into requests."""
        cut = pools.deletable[: self.deletions_needed(sizes)].reshape(sizes.requests, self.versions, self.size)
        return [Request(tuple(Step(step) for step in steps)) for steps in cut]
