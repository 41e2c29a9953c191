"""Control: an attack that queries no model. An AUC above chance shows that deleted and unseen records differ."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.attack_models import fit_attack_model
from unlearnbench.builtin.attacks.feature_attack import FittedFeatureAttack
from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs, ShadowView, View


@dataclass(frozen=True)
class Blind(Attack):
    """Learn "deleted" from the record itself, features and label, with boosted trees.

    It follows the blind baselines of Das et al. 2024 (arXiv 2406.16201), which are better than attacks on data sets
    whose members and non-members have different distributions.
    """

    needs: ClassVar[Needs] = Needs(versions="none", features=True, label=True)
    probabilistic: ClassVar[bool] = True

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Fit LightGBM on the shadow records; if they are too few to split, all probabilities are equal."""
        return FittedFeatureAttack(record, fit_attack_model("lightgbm", record(shadow), shadow.deleted, rng))


def record(view: View) -> NDArray[np.float64]:
    """Return each record's features, flattened, and its label as last column: (n, d + 1)."""
    features = view.features
    return np.column_stack([features.reshape(len(view), prod(features.shape[1:])), view.label])
