"""The share of queries whose posteriors do not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, Scored
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class IdenticalPosteriors(Metric):
    """Share of rows whose released posteriors are bitwise the same before and after, for positives and negatives.

    If a deterministic model rarely changes for unseen records, "has anything changed" may explain a high AUC.
    """

    def measure(self, scored: Scored) -> Mapping[str, Estimate]:
        """Return ``identical-forgotten`` and ``identical-unseen``."""
        rows = scored.observations
        last = rows.after[range(len(rows)), rows.versions - 1]
        same = (rows.before == last).all(axis=1).astype(float)
        return {
            name: clustered_mean(same[scored.rows(role)], rows.episode[scored.rows(role)])
            for name, role in (("identical-forgotten", scored.positive), ("identical-unseen", scored.negative))
        }
