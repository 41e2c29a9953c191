"""Ensemble: all features of Chen et al. 2021 at once (UnLeak in IAM, arXiv 2506.06112)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.feature_attack import FeatureAttack, both_posteriors
from unlearnbench.builtin.attacks.features import (
    SortBy,
    direct_concat,
    direct_diff,
    euclidean,
    sorted_concat,
    sorted_diff,
)
from unlearnbench.core.observations import View


@dataclass(frozen=True)
class Ensemble(FeatureAttack):
    """Learn from both posteriors and their difference, unsorted and sorted, and from the distance between them.

    The feature of ``classical``, P_o, is included.

    ``model``: the classifier

    ``sort_by``: the posteriors by which classes are sorted: those of the ``original`` model, as published, or a variant
    of a re-implementation (:data:`~unlearnbench.builtin.attacks.features.SortBy`)
    """

    sort_by: SortBy = "original"

    def feature(self, view: View) -> NDArray[np.float64]:
        """Return all features side by side (n, 6C + 1)."""
        both = both_posteriors(view)
        return np.concatenate(
            [
                direct_concat(*both),
                sorted_concat(*both, self.sort_by),
                direct_diff(*both),
                sorted_diff(*both, self.sort_by),
                euclidean(*both),
            ],
            axis=1,
        )
