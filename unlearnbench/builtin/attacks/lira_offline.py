"""Offline LiRA: how unlikely an answer is for models that were not trained on the record (Carlini et al. 2022).

Two statistics have this name: that of the paper (section V.C), and that of its published code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.gaussian import Center, Normals
from unlearnbench.builtin.attacks.per_record import PerRecordAttack, unlearned_odds
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class LiraOffline(PerRecordAttack):
    """Score P(Z < q), where q is the log-odds of the true class and Z what a model without the record would answer.

    Z has the normal distribution of the answers of reference models that were not trained on the record. Scores above
    8 standard deviations are 1.

    ``references``: reference models, half of which were trained on any one record

    ``center``: of the distribution
    """

    center: Center = "median"

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the probability (n,)."""
        from scipy.special import ndtr

        return np.asarray(ndtr(self._outside(view).standardized(unlearned_odds(view))))

    def _outside(self, view: View) -> Normals:
        return Normals.of(view.references.before, ~view.references.member, self.center)


@dataclass(frozen=True)
class LiraOfflineDensity(LiraOffline):
    """Score -log N(q; out): the offline statistic of LiRA's published code, which is high for low answers too.

    ``references``: reference models, half of which were trained on any one record

    ``center``: of the distribution
    """

    def score(self, view: View) -> NDArray[np.float64]:
        """Return minus the log of the density (n,), natural logarithm."""
        return -self._outside(view).log_density(unlearned_odds(view))
