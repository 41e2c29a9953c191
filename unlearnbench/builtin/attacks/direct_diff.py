"""DirectDiff: how each class's posterior changed (Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import direct_diff
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class DirectDiff(FeatureAttack):
    """Learn from P_o - P_u, classes in their own order.

    ``model``: the classifier that learns
    """

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the difference (n, C)."""
        return direct_diff(*both_posteriors(view))
