"""TPR at a low FPR: does the attack infer some deletions with near certainty (Carlini et al. 2022)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import tpr_at_fpr

Rate = Annotated[float, Field(gt=0, lt=1)]


@dataclass(frozen=True)
class TprAtFpr(Metric):
    """The largest TPR whose realized FPR is at most the nominal one; ties are never split.

    Korn-Graubard interval. Undefined where there are too few distinct non-members (10 / FPR are needed) or distinct
    scores; the reason says so, and ``details`` hold the realized FPR and the number of distinct scores.

    ``fprs``: nominal false-positive rates
    """

    fprs: tuple[Rate, ...] = (0.01, 0.001)

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``tpr-at-fpr-0.01`` and so on."""
        rows = cell.against(cell.negative)
        return {
            f"tpr-at-fpr-{fpr:g}": tpr_at_fpr(rows.scores, rows.positive, fpr, rows.cluster, rows.record)
            for fpr in self.fprs
        }
