"""What one run proves about epsilon, where independent fair coins decided which records were trained on and deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unlearnbench.audit.answers import Answers
from unlearnbench.audit.findings import AttackFinding
from unlearnbench.audit.leak import Audit
from unlearnbench.core.errors import UserError
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.versions import Versions
from unlearnbench.stats.epsilon import one_run_epsilon

DELTA: Final = 1e-5
GUESSED: Final = 0.1
"""Share of the records that are guessed to be deleted, and as many to be unseen: fixed before any answer is seen."""
LEVEL: Final = 0.95
"""The probability with which the bounds of all attacks hold together."""
FAIR: Final = 1e-4
"""Below this p-value of a fair coin, the numbers of deleted and of unseen records are refused."""


@dataclass(frozen=True)
class OneRun:
    """What one attack proves."""

    attack: str
    versions: Versions
    """Which models it queries: epsilon is that of publishing these."""
    coins: int
    """Records that it scored, deleted or unseen."""
    guesses: int
    correct: int
    epsilon: float
    """A lower bound."""


def check_coins(target: Answers) -> None:
    """Refuse numbers of deleted and unseen records that independent fair coins would hardly give."""
    from scipy.stats import binomtest

    deleted, unseen = target.count(Role.FORGOTTEN), target.count(Role.UNSEEN)
    if binomtest(deleted, deleted + unseen, 0.5).pvalue < FAIR:
        raise UserError(
            f"{deleted} deleted and {unseen} unseen records are not of fair coins; give the records of the coins only, "
            "or leave out --coins",
            str(target.file),
        )


def one_run_bounds(audit: Audit) -> list[OneRun]:
    """Return the bounds of all attacks that are no controls, the highest first; each at its share of the level."""
    findings = [finding for finding in audit.findings if not finding.control]
    level = 1 - (1 - LEVEL) / len(findings)
    return sorted((_bound(finding, level) for finding in findings), key=lambda one: -one.epsilon)


def _bound(finding: AttackFinding, level: float) -> OneRun:
    role = finding.scored.rows.role
    rows = np.flatnonzero(np.isin(role, (Role.FORGOTTEN, Role.UNSEEN)))
    each = int(GUESSED * len(rows))
    ties = SeedPath(0, ("audit", "coins")).permutation(len(rows))  # of equal scores, any may be guessed
    order = rows[np.lexsort((ties, finding.scores[rows]))]
    low, high = role[order[:each]] == Role.UNSEEN, role[order[len(rows) - each :]] == Role.FORGOTTEN
    correct = int(low.sum() + high.sum())
    epsilon = one_run_epsilon(correct, 2 * each, len(rows), DELTA, level)
    return OneRun(finding.attack, finding.versions, len(rows), 2 * each, correct, epsilon)
