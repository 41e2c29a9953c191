"""AUC of one role against two others: how well a score tells forgotten, retained and unseen records apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell, ScoredRows
from unlearnbench.core.scenarios import Role
from unlearnbench.stats import clustered_auc


@dataclass(frozen=True)
class OneVsRest(Metric):
    """Rank AUC of one of three roles against the two others together, with the interval of ``auc``.

    ``auc-forgotten-rest`` is the probability that a forgotten record scores higher than one that is retained or unseen,
    ``auc-retained-rest`` the same of a retained record, and ``auc-rest-unseen`` that a forgotten or retained record
    scores higher than an unseen one. Rows count as often as they are queried: a suite that queries more unseen than
    retained records measures mostly against unseen ones. Matched records are left out.
    """

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return the three numbers."""
        forgotten, retained, unseen = Role.FORGOTTEN, Role.RETAINED, Role.UNSEEN
        return {
            "auc-forgotten-rest": _auc(cell.between([forgotten], [retained, unseen])),
            "auc-retained-rest": _auc(cell.between([retained], [forgotten, unseen])),
            "auc-rest-unseen": _auc(cell.between([forgotten, retained], [unseen])),
        }


def _auc(rows: ScoredRows) -> Estimate:
    return clustered_auc(rows.scores, rows.positive, rows.cluster, record=rows.record)
