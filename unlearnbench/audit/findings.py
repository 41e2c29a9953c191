"""What one attack finds in the answers that it scored, with intervals and a p-value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.answers import Answers
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import Needs
from unlearnbench.core.scenarios import Role
from unlearnbench.core.versions import Versions
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.stats import auc_above_half, clustered_auc, tpr_at_fpr

FPRS: Final = (0.1, 0.01)
"""The false-positive rates at which true-positive rates are given."""


@dataclass(frozen=True, eq=False)
class AttackFinding:
    """What one attack finds."""

    attack: str
    versions: Versions
    """Which models it queries."""
    models: int
    """How many reference models it reads."""
    control: bool
    """Whether it shows that the measurement is valid, and nothing about the models."""
    auc: Estimate
    """AUC of forgotten against unseen records."""
    auc_retained: Estimate
    """AUC of forgotten against retained records."""
    tpr: Mapping[float, Estimate]
    """True-positive rates at the false-positive rates of :data:`FPRS`, unseen records being the negatives."""
    p: float
    """Two-sided p-value of an AUC of .5."""
    scored: Answers
    """The answers that it scored: all, or those about the records that reference models can judge."""
    scores: NDArray[np.float64]
    """A score (n,) of each of their rows."""
    adjusted_p: float | None = None
    """The p-value adjusted by Holm over the attacks that compare both models; None for the others."""

    @property
    def compares(self) -> bool:
        """Whether it compares both models, so that what it finds is due to the deletion."""
        return self.versions == "both" and not self.control

    @property
    def distance(self) -> float:
        """How far its AUC is from chance, in either direction."""
        return abs((self.auc.value or 0.5) - 0.5)


def finding_of(plugin: AttackPlugin, needs: Needs, scores: NDArray[np.float64], scored: Answers) -> AttackFinding:
    """Return what an attack of these needs finds by its scores (n,) of these answers."""
    chosen, positive, cluster, record = _rows(scored, Role.UNSEEN)
    own = scores[chosen]
    kept, forgotten, kept_cluster, kept_record = _rows(scored, Role.RETAINED)
    return AttackFinding(
        attack=plugin.name,
        versions=needs.versions,
        models=needs.references,
        control=plugin.role == "control",
        auc=clustered_auc(own, positive, cluster, record=record),
        auc_retained=clustered_auc(scores[kept], forgotten, kept_cluster, record=kept_record),
        tpr={fpr: tpr_at_fpr(own, positive, fpr, cluster, record) for fpr in FPRS},
        p=min(1.0, 2 * min(auc_above_half(sign * own, positive, cluster, record) for sign in (1, -1))),
        scored=scored,
        scores=scores,
    )


def _rows(
    answers: Answers, negative: Role
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Return which rows (n,) are forgotten or ``negative``, and of those: which are forgotten, clusters and records."""
    chosen = np.isin(answers.rows.role, (Role.FORGOTTEN, negative))
    return chosen, answers.rows.role[chosen] == Role.FORGOTTEN, answers.cluster[chosen], answers.rows.record[chosen]
