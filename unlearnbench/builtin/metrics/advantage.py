"""Advantage: TPR minus FPR at a threshold that is chosen on shadow scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import advantage, best_threshold

NO_THRESHOLD = "no threshold: no shadow row is scored; that takes two shadow originals and an attack without references"


@dataclass(frozen=True)
class Advantage(Metric):
    """TPR - FPR at the threshold that is best on shadow scores, cross-fitted by original (Yeom et al. 2018).

    A threshold chosen on the target rows would give a biased value.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``advantage``."""
        if not len(cell.shadow_scores):
            return {"advantage": Estimate.undefined(NO_THRESHOLD)}
        rows = cell.against(cell.negative)
        threshold = best_threshold(cell.shadow_scores, cell.shadow_deleted)
        return {"advantage": advantage(rows.scores, rows.positive, threshold, rows.cluster, rows.record)}
