"""Whom a deletion reveals most: the strongest attack by group of records, and record by record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.leak import Audit
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.scenarios import Role
from unlearnbench.stats import clopper_pearson, clustered_auc

SMALLEST_GROUP = 10
"""Deleted records, and unseen ones, that a group must have to be shown: fewer say little, and may name a person."""


@dataclass(frozen=True)
class GroupRisk:
    """What an attack finds among the records of one group."""

    group: str
    forgotten: int
    unseen: int
    auc: Estimate
    """AUC of its deleted against its unseen records."""


@dataclass(frozen=True)
class RecordRisk:
    """How far one deleted record stands out."""

    record: str
    """Its id, or the number of its row from 0 where the file has none."""
    share: float
    """Share of unseen records that look as much deleted: the false-positive rate at which it is found."""
    low: float
    """Lower end of the 95 % interval, unseen records being a sample."""
    high: float


def group_risks(audit: Audit) -> tuple[list[GroupRisk], int]:
    """Return the risk of each group that is large enough, the highest first, and how many groups are not."""
    finding = audit.findings[0]
    target = finding.scored
    if target.group is None:
        return [], 0
    names = sorted(set(target.group.tolist()) - {""})
    found = [_of_group(name, finding) for name in names]
    large = [one for one in found if min(one.forgotten, one.unseen) >= SMALLEST_GROUP]
    return sorted(large, key=lambda one: -(one.auc.value or 0.0)), len(found) - len(large)


def _of_group(name: str, finding: AttackFinding) -> GroupRisk:
    target = finding.scored
    role = target.rows.role
    rows = np.flatnonzero((target.group == name) & np.isin(role, (Role.FORGOTTEN, Role.UNSEEN)))
    positive, scores = role[rows] == Role.FORGOTTEN, finding.scores[rows]
    found = clustered_auc(scores, positive, target.cluster[rows], record=target.rows.record[rows])
    return GroupRisk(name, int(positive.sum()), int((~positive).sum()), found)


def record_risks(audit: Audit) -> list[RecordRisk]:
    """Return the risk of each deleted record that the strongest attack scored, the highest first.

    Where the attack ranks deleted records below unseen ones, its reversed ranking counts.
    """
    finding = audit.findings[0]
    scores = finding.scores if (finding.auc.value or 0.5) >= 0.5 else -finding.scores
    return sorted(_of_records(finding.scored, scores), key=lambda one: one.share)


def _of_records(target: Answers, scores: NDArray[np.float64]) -> Iterator[RecordRisk]:
    unseen = np.sort(scores[target.rows.role == Role.UNSEEN])
    n = len(unseen)
    for row in np.flatnonzero(target.rows.role == Role.FORGOTTEN).tolist():
        above = n - int(np.searchsorted(unseen, scores[row], side="left"))
        yield RecordRisk(target.name(int(target.rows.record[row])), above / n, *clopper_pearson(above, n))
