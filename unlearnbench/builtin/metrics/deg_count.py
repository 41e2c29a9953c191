"""DegCount: the share of records whose true status deletion makes easier to infer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.builtin.metrics.degradation import NO_PROBABILITIES, has_confidences
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import deg_count, rank_deg_count, true_confidence


@dataclass(frozen=True)
class DegCount(Metric):
    """Share of records with strictly more confidence in the true status than from the classical baseline.

    Chen et al. 2021, section 4.4; with its counterpart on ranks, which needs no probabilities.

    Measured on every forgotten record and as many first negatives of its request. Ties count as no gain; their rate is
    in ``details``.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``deg-count`` and ``rank-deg-count``."""
        rows = cell.paired()
        attack, classical = (true_confidence(values, rows.positive) for values in (rows.scores, rows.baseline))
        return {
            "deg-count": deg_count(attack, classical, rows.cluster)
            if has_confidences(cell)
            else Estimate.undefined(NO_PROBABILITIES),
            "rank-deg-count": rank_deg_count(rows.scores, rows.baseline, rows.positive, rows.cluster),
        }
