"""DirectConcat: both posteriors side by side (Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import direct_concat
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class DirectConcat(FeatureAttack):
    """Learn from [P_o, P_u], classes in label order.

    ``model``: the classifier
    """

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return both posteriors (n, 2C)."""
        return direct_concat(*both_posteriors(view))
