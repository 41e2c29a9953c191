"""Precision at stated priors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from unlearnbench.builtin.metrics.advantage import NO_THRESHOLD
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import best_threshold, precision_at_prior

BY_THRESHOLD = "it depends on the threshold more than the shadow models of one seed can show"

Prior = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class PrecisionAtPrior(Metric):
    """Precision if a share ``prior`` of the queried records had been deleted, at the threshold of ``advantage``.

    In practice few of the queried records are deleted, so the precision of a balanced game is too optimistic. One seed
    has no interval: near the best threshold TPR and FPR change together, the advantage little and the precision much.

    ``priors``: shares of deleted records among the queried ones
    """

    priors: tuple[Prior, ...] = (0.5, 0.1, 0.01)

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``precision-at-prior-0.5`` and so on."""
        if not len(cell.shadow_scores):
            return {_name(prior): Estimate.undefined(NO_THRESHOLD) for prior in self.priors}
        rows = cell.against(cell.negative)
        threshold = best_threshold(cell.shadow_scores, cell.shadow_deleted)
        return {
            _name(prior): precision_at_prior(
                rows.scores, rows.positive, threshold, prior, rows.cluster, rows.record
            ).without_interval(BY_THRESHOLD)
            for prior in self.priors
        }


def _name(prior: float) -> str:
    return f"precision-at-prior-{prior:g}"
