"""SortedDiff: the change of the posterior, classes sorted (Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import SortBy, sorted_diff
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class SortedDiff(FeatureAttack):
    """Learn from P_o - P_u, the classes of each row in ascending order of posterior.

    ``model``: the classifier

    ``sort_by``: the posteriors by which classes are sorted: those of the ``original`` model, as published, or a variant
    of a re-implementation (:data:`~unlearnbench.builtin.attacks.features.SortBy`)
    """

    sort_by: SortBy = "original"

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the sorted difference (n, C)."""
        return sorted_diff(*both_posteriors(view), self.sort_by)
