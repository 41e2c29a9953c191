"""EucDist: the distance between the posteriors (Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import euclidean
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class Euclidean(FeatureAttack):
    """Learn from the Euclidean norm of P_o - P_u.

    ``model``: the classifier
    """

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the distance (n, 1)."""
        return euclidean(*both_posteriors(view))
