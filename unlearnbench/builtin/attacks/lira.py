"""LiRA: the likelihood ratio of a record being in the training set or not (Carlini et al. 2022, arXiv 2112.03570)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.gaussian import Center, Normals
from unlearnbench.builtin.attacks.per_record import PerRecordAttack, unlearned_odds
from unlearnbench.core.observations import View
from unlearnbench.core.references import ReferenceAnswers


@dataclass(frozen=True)
class Lira(PerRecordAttack):
    """Score log N(q; in) - log N(q; out), where q is the log-odds of the true class: LiRA's online attack.

    ``in`` and ``out`` are normal distributions of what reference models answer about this record, those that were
    trained on it and those that were not, before they have deleted anything.

    ``references``: reference models, half of which were trained on any one record

    ``center``: of each distribution; standard deviations are about the mean in either case
    """

    center: Center = "median"

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the log of the likelihood ratio (n,), natural logarithm."""
        return self.ratio(unlearned_odds(view), view.references)

    def ratio(self, odds: NDArray[np.float64], known: ReferenceAnswers) -> NDArray[np.float64]:
        """Return the score (n,) of a model that answers with these log-odds (n,)."""
        inside = Normals.of(known.before, known.member, self.center)
        outside = Normals.of(known.before, ~known.member, self.center)
        return inside.log_density(odds) - outside.log_density(odds)
