"""The base of the attacks of Chen et al. 2021: a classifier on a feature of the posteriors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.attack_models import AttackModel, Probability, fit_attack_model
from unlearnbench.core.attacks import Attack, Baseline, FittedAttack
from unlearnbench.core.observations import ShadowView, View


@dataclass(frozen=True)
class FeatureAttack(Attack):
    """Fit a classifier on a feature of shadow rows. Subclasses must write only ``feature``.

    Scores are the classifier's probabilities of "deleted". Of several unlearned versions the features of Chen et al.
    read the last one.

    ``model``: the classifier
    """

    model: AttackModel = "decision-tree"

    probabilistic: ClassVar[bool] = True

    @property
    def baseline(self) -> Baseline:
        """The classical attack with the same classifier, so that only the features differ."""
        return Baseline(params={"model": self.model})

    @abstractmethod
    def feature(self, view: View) -> NDArray[np.float64]:
        """Return the feature (n, d) of each row, computed from that row alone."""

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Fit the classifier; ``rng`` yields its seed."""
        return FittedFeatureAttack(
            self.feature, fit_attack_model(self.model, self.feature(shadow), shadow.deleted, rng)
        )


@dataclass(frozen=True)
class FittedFeatureAttack:
    """A feature and the classifier that was fitted on it."""

    feature: Callable[[View], NDArray[np.float64]]
    probability: Probability

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the probability (n,) that each row was deleted."""
        return self.probability(self.feature(view))


def both_posteriors(view: View) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probabilities (n, C) of the original and of the last unlearned model."""
    return np.exp(view.before), np.exp(view.after)
