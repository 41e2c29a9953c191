"""Control: an attack that queries no model. Above chance, members and non-members were drawn apart: a broken cell."""

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

    After the blind baselines of Das et al. 2024 (arXiv 2406.16201), which beat attacks wherever members and
    non-members differ to begin with.
    """

    needs: ClassVar[Needs] = Needs(versions="none", features=True, label=True)
    probabilistic: ClassVar[bool] = True

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Fit LightGBM on the shadow records; too few of them to split give one half for all."""
        return FittedFeatureAttack(record, fit_attack_model("lightgbm", record(shadow), shadow.deleted, rng))


def record(view: View) -> NDArray[np.float64]:
    """Return each record's features, flattened, and its label as last column: (n, d + 1)."""
    features = view.features
    return np.column_stack([features.reshape(len(view), prod(features.shape[1:])), view.label])
