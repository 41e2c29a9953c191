"""The classical attack: membership inference on the original model alone (the baseline of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack
from unlearnbench.core.observations import Needs, View


@dataclass(frozen=True)
class Classical(FeatureAttack):
    """Learn from P_o, unsorted. It does not query the unlearned model, so it measures the leak without deletion.

    ``model``: the classifier
    """

    needs: ClassVar[Needs] = Needs(versions="original")

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the original model's posteriors (n, C)."""
        return np.exp(view.before)
