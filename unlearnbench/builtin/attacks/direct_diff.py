"""DirectDiff: the change of each class's posterior (Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import direct_diff
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class DirectDiff(FeatureAttack):
    """Learn from P_o - P_u, classes in label order.

    ``model``: the classifier
    """

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the difference (n, C)."""
        return direct_diff(*both_posteriors(view))
