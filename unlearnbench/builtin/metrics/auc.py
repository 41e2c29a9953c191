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


@dataclass(frozen=True)
class Auc(Metric):
    """Pooled rank AUC with an interval by the jackknife over originals, to first order that of Obuchowski (1997).

    There are three values: ``auc`` against the scenario's negatives (random unseen records), ``auc-matched`` against
    unseen records of the same region and label, ``auc-retained`` against retained records. ``details`` hold the
    one-sided p-value of an AUC above .5: of ``auc`` as ``p_above_half``, of ``auc-retained`` as ``p_above_retained``.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``auc``, ``auc-matched`` and ``auc-retained``."""
        matched = _auc(cell.against(Role.MATCHED))
        if matched.details.get("tied_pairs", 0) > TIED:
            matched = matched.without_interval(FEW_DECIDE)
        return {
            "auc": _tested(cell.against(cell.negative), "p_above_half"),
            "auc-matched": matched,
            "auc-retained": _tested(cell.against(Role.RETAINED), "p_above_retained"),
        }


def _tested(rows: ScoredRows, name: str) -> Estimate:
    """Return the AUC with its p-value as a detail."""
    found, p = _auc(rows), auc_above_half(rows.scores, rows.positive, rows.cluster, rows.record)
    return replace(found, details={**found.details, name: p})


def _auc(rows: ScoredRows) -> Estimate:
    return clustered_auc(rows.scores, rows.positive, rows.cluster, record=rows.record)
