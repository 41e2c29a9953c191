"""LiRA on an update: how much less a model seems to know a record than before (Jagielski et al. 2022, 2205.06369)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.lira import Lira
from unlearnbench.builtin.attacks.per_record import unlearned_odds
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import log_odds


@dataclass(frozen=True)
class UpdateLira(Lira):
    """Score L(b) - L(a), where L is the score of ``lira`` and b and a are the log-odds before and after unlearning.

    Both models are compared with the same reference models, before these have deleted anything. For an unlearner that
    changes nothing all scores are 0.

    ``references``: reference models, half of which were trained on any one record

    ``center``: of each distribution; standard deviations are about the mean in either case
    """

    @property
    def needs(self) -> Needs:
        """Both models, the label, and reference models."""
        return Needs(label=True, references=self.references)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return by how much the log of the likelihood ratio falls (n,), natural logarithm."""
        before, after = log_odds(view.before, view.label), unlearned_odds(view)
        return self.ratio(before, view.references) - self.ratio(after, view.references)
