"""The share of queries whose posteriors do not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class IdenticalPosteriors(Metric):
    """Share of rows whose released posteriors are bitwise the same before and after, for positives and negatives.

    If a deterministic model rarely changes for unseen records, "has anything changed" may explain a high AUC.
    """

    reads_scores: ClassVar[bool] = False

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``identical-forgotten`` and ``identical-unseen``."""
        unchanged = cell.unchanged.astype(float)
        return {
            name: clustered_mean(unchanged[cell.has_role(role)], cell.episode[cell.has_role(role)], "share")
            for name, role in (("identical-forgotten", cell.positive), ("identical-unseen", cell.negative))
        }
