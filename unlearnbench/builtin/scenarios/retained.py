"""Does deleting one record give away those that stay?"""

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
    """Each request deletes ``size`` records, and the question is who stayed.

    Positive: a record that stayed in the training set (in, in), as many of them per request as it deletes, drawn
    anew for each. Negative: a random unseen one (out, out). Matched negatives are like the positives. The forgotten
    ones are queried and take no part in the game. An attack can be no better than membership inference here, unless
    deletion tells of others than the deleted (Chen et al. 2021, section 6.4, remaining samples).

    ``size``: records that a request deletes, and records that stayed it asks about
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
        """Choose who stayed, and negatives; the draws of ``negatives`` are those of other scenarios."""
        stayed = draw(
            pools.deletable[~np.isin(pools.deletable, request.forgotten)], len(request.forgotten), seeds / "stayed"
        )
        return Queries.of(
            {
                Role.FORGOTTEN: request.forgotten,
                Role.UNSEEN: draw(pools.unseen, sizes.negatives, seeds / "negatives"),
                Role.MATCHED: matched_negatives(
                    fitted, original.data, stayed, pools.unseen, sizes.matched, seeds / "matched"
                ),
                Role.RETAINED: stayed,
            }
        )
