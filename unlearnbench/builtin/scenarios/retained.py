"""Does deleting one record leak the membership of retained records?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.core.matching import matched_negatives
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, draw
from unlearnbench.core.scenarios import Queries, Request, Role
from unlearnbench.core.seeding import SeedPath


@dataclass(frozen=True)
class Retained(Group):
    """Each request deletes ``size`` records, and the attack infers which records were retained.

    Positive: a retained record (in, in), as many per request as it deletes, drawn for each request. Negative: a random
    unseen one (out, out). Matched negatives resemble the positives. The forgotten records are queried too, but are
    neither positives nor negatives. An attack is better than membership inference only if a deletion leaks information
    about other records than the deleted ones (Chen et al. 2021, section 6.4, remaining samples).

    ``size``: records that a request deletes, and retained records that it queries
    """

    size: PositiveInt = 1

    positive = Role.RETAINED

    def queries(
        self,
        request: Request,
        pools: Pools,
        sizes: EpisodeSizes,
        seeds: SeedPath,
        original: Original,
        fitted: Fitted,
    ) -> Queries:
        """Choose retained records and negatives; the draws of ``negatives`` are those of other scenarios."""
        retained = draw(
            pools.deletable[~np.isin(pools.deletable, request.forgotten)], len(request.forgotten), seeds / "stayed"
        )
        return Queries.of(
            {
                Role.FORGOTTEN: request.forgotten,
                Role.UNSEEN: draw(pools.unseen, sizes.negatives, seeds / "negatives"),
                Role.MATCHED: matched_negatives(
                    fitted, original.data, retained, pools.unseen, sizes.matched, seeds / "matched"
                ),
                Role.RETAINED: retained,
            }
        )
