"""Which role an attack names for forgotten, retained and unseen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unlearnbench.core.attacks import VERDICTS
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.stats import clustered_mean

NO_VERDICTS = "the scores name no roles: they are not all 1 (forgotten), .5 (retained) or 0 (unseen)"


@dataclass(frozen=True)
class Confusion(Metric):
    """Share of the records of each role that the attack names forgotten, retained or unseen, clustered by original.

    The nine numbers are the confusion matrix, row by row: ``forgotten-named-retained`` is the share of forgotten
    records that are named retained. The three of a role sum to 1. Defined where every score is a verdict, as those of
    ``tri-class`` with ``score: verdict`` are.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the nine shares."""
        named = np.isin(cell.scores[cell.has_role(*VERDICTS)], list(VERDICTS.values())).all()
        return {
            f"{role.name}-named-{verdict.name}".lower(): (
                _share(cell, role, score) if named else Estimate.undefined(NO_VERDICTS)
            )
            for role in VERDICTS
            for verdict, score in VERDICTS.items()
        }


def _share(cell: ScoredCell, role: Role, score: float) -> Estimate:
    rows = cell.between([role], [])
    return clustered_mean((rows.scores == score).astype(float), rows.cluster, "share")
