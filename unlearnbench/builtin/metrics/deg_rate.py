"""DegRate: the gain in confidence in a record's true status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.builtin.metrics.degradation import NO_PROBABILITIES, has_confidences
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import deg_rate, rank_deg_rate, true_confidence


@dataclass(frozen=True)
class DegRate(Metric):
    """Mean gain in confidence in the true status over the classical baseline.

    Chen et al. 2021, section 4.4: a difference and not a ratio; with its counterpart on ranks,
    which needs no probabilities.

    It requires calibrated probabilities of both attacks: more extreme probabilities raise it without better ranking.
    The counterpart is exactly half the gain in AUC.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``deg-rate`` and ``rank-deg-rate``."""
        rows = cell.paired()
        attack, classical = (true_confidence(values, rows.positive) for values in (rows.scores, rows.baseline))
        return {
            "deg-rate": deg_rate(attack, classical, rows.cluster)
            if has_confidences(cell)
            else Estimate.undefined(NO_PROBABILITIES),
            "rank-deg-rate": rank_deg_rate(rows.scores, rows.baseline, rows.positive, rows.cluster),
        }
