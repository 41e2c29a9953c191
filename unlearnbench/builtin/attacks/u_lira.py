"""U-LiRA: the likelihood ratio of a record being unlearned or never seen (Hayes et al. 2024, arXiv 2403.01218)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.gaussian import Center, Normals
from unlearnbench.builtin.attacks.per_record import PerRecordAttack, unlearned_odds
from unlearnbench.core.observations import View
from unlearnbench.core.references import ReferenceAnswers

Outside = Literal["unlearned", "original"]
"""Which models that were never trained on a record an unlearned model is compared with: some that have deleted other
records, or some that have deleted nothing."""


@dataclass(frozen=True)
class ULira(PerRecordAttack):
    """Score log N(q; unlearned) - log N(q; out), where q is the log-odds of the true class after unlearning.

    Both are normal distributions of what reference models answer about this record: those that were trained on it and
    have deleted it by the same method, and those that were never trained on it. For retraining the two are one
    distribution. With ``out: original`` the attack also detects that a model was processed at all: a method that only
    adds noise is then called leaky.

    ``references``: reference models, half of which were trained on any one record

    ``out``: what models without the record have done: ``unlearned`` other records, or ``original`` models

    ``center``: of each distribution; standard deviations are about the mean in either case
    """

    out: Outside = "unlearned"
    center: Center = "mean"

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the log of the likelihood ratio (n,), natural logarithm."""
        odds, known = unlearned_odds(view), view.references
        unlearned = Normals.of(known.after, known.member, self.center)
        outside = Normals.of(answers_outside(known, self.out), ~known.member, self.center)
        return unlearned.log_density(odds) - outside.log_density(odds)


def answers_outside(known: ReferenceAnswers, out: Outside) -> NDArray[np.float64]:
    """Return the answers (n, N) of the models that those without the record are taken from."""
    return known.after if out == "unlearned" else known.before
