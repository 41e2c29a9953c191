"""Noise robustness: how far noise can move a record that keeps its label (label-only; Choquette-Choo et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.attacks.noisy_labels import NoisyLabelAttack, right
from unlearnbench.core.copies import SCALES
from unlearnbench.core.observations import View
from unlearnbench.core.versions import Versions


@dataclass(frozen=True)
class NoiseRobustness(NoisyLabelAttack):
    """Score the mean over directions of the largest scale up to which the unlearned model gives the record's label.

    An estimate of the distance to the decision boundary from queries that are fixed beforehand: each copy is asked
    about at every scale, and a scale counts if the label is right there and at all smaller ones; 0 if at none. The
    boundary attack of Choquette-Choo et al. 2021 (arXiv 2007.14321) looks for the nearest point of the boundary
    instead. Higher means that the model still knows the record.

    ``copies``: the directions
    """

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the distance (n,), in standard deviations of the features."""
        return distance(view.copies.after, view)


@dataclass(frozen=True)
class NoiseRobustnessFall(NoiseRobustness):
    """Score by how much the distance of ``noise-robustness`` falls from the original to the unlearned model.

    ``copies``: the directions
    """

    versions: ClassVar[Versions] = "both"

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the fall (n,)."""
        return distance(view.copies.before, view) - distance(view.copies.after, view)


def distance(answers: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Return the mean over directions (n,) of the largest scale up to which all answers (n, K, S, C) are right."""
    reached = np.logical_and.accumulate(right(answers, view), axis=2).sum(axis=2)
    return np.asarray(np.array([0.0, *SCALES])[reached].mean(axis=1))
