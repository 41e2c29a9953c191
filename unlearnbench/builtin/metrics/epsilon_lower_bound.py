"""What an attack proves about epsilon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.builtin.metrics.advantage import NO_THRESHOLD
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.stats.epsilon import best_audit_threshold, epsilon_lower_bound

NAME: Final = "epsilon-lower-bound"
NO_PAIRS: Final = "the first request of an original queries no deleted or no unseen record"
A_BOUND: Final = "a lower bound with a probability of 95 %"


@dataclass(frozen=True)
class EpsilonLowerBound(Metric):
    """A lower bound of epsilon, right with a probability of 95 %, from one pair of records of each original.

    Trials must be independent, so of each original only the first deleted and the first unseen record of the first
    request count: originals are trained, unlearned and published independently. The threshold is chosen on shadow rows.
    It bounds what is published to the attack: for one that queries both models the pair of them, for one that queries
    the unlearned model that model alone. K originals can prove an epsilon of about
    log(K / 3.7 - 1) at most.

    ``delta``: of (epsilon, delta)
    """

    delta: Annotated[float, Field(ge=0, lt=1)] = 1e-5

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``epsilon-lower-bound``."""
        if not len(cell.shadow_scores):
            return {NAME: Estimate.undefined(NO_THRESHOLD)}
        deleted, unseen = (_first_of_each(cell, role) for role in (cell.positive, cell.negative))
        if not len(deleted) or len(deleted) != len(unseen):
            return {NAME: Estimate.undefined(NO_PAIRS)}
        pairs = len(deleted)
        threshold = best_audit_threshold(cell.shadow_scores, cell.shadow_deleted, pairs, self.delta)
        hits, false_hits = (int((scores > threshold).sum()) for scores in (deleted, unseen))
        bound = epsilon_lower_bound(hits, pairs, false_hits, pairs, self.delta)
        return {NAME: Estimate(bound, n=2 * pairs, status="no-interval", reason=A_BOUND, scale="positive")}


def _first_of_each(cell: ScoredCell, role: Role) -> NDArray[np.float64]:
    """Return the score of the first row of a role in the first request of each original."""
    chosen = cell.has_role(role) & (cell.position == 0) & (cell.request == 0)
    return np.asarray(cell.scores[chosen])
