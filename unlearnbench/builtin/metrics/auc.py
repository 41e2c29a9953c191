"""Area under the ROC curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell, ScoredRows
from unlearnbench.core.scenarios import Role
from unlearnbench.stats import auc_above_half, clustered_auc

TIED = 0.1
FEW_DECIDE = "most matched records score as the forgotten one does, so that few requests decide"

AGAINST = {"auc-matched": Role.MATCHED, "auc-retained": Role.RETAINED}


@dataclass(frozen=True)
class Auc(Metric):
    """Pooled rank AUC with an interval by the jackknife over originals, to first order that of Obuchowski (1997).

    There are three values: ``auc`` against the scenario's negatives (random unseen records), ``auc-matched`` against
    unseen records of the same region and label, ``auc-retained`` against retained records. ``details`` of ``auc`` hold
    the one-sided p-value of an AUC above .5.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``auc``, ``auc-matched`` and ``auc-retained``."""
        rows = cell.against(cell.negative)
        main = _auc(rows)
        p = auc_above_half(rows.scores, rows.positive, rows.cluster, rows.record)
        others = {name: _auc(cell.against(role)) for name, role in AGAINST.items()}
        if others["auc-matched"].details.get("tied_pairs", 0) > TIED:
            others["auc-matched"] = others["auc-matched"].without_interval(FEW_DECIDE)
        return {"auc": replace(main, details={**main.details, "p_above_half": p}), **others}


def _auc(rows: ScoredRows) -> Estimate:
    return clustered_auc(rows.scores, rows.positive, rows.cluster, record=rows.record)
