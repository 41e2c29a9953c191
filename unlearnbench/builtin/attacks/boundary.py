"""The boundary attack: how far a record is from the decision boundary (label-only; Choquette-Choo et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View


@dataclass(frozen=True)
class Boundary(ScoreAttack):
    """Score the record's distance to the decision boundary of the unlearned model; 0 where its label is not given.

    The attack of Choquette-Choo et al. 2021 (arXiv 2007.14321) and of Li and Zhang 2021 (arXiv 2007.15528). The
    distance is that of the nearest point with another label that HopSkipJump (Chen et al. 2020, arXiv 1904.02144)
    found, in standard deviations of the features. Higher means that the model still knows the record.
    """

    needs: ClassVar[Needs] = Needs(versions="unlearned", label=True, boundary=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the distance (n,)."""
        return view.boundary.after


@dataclass(frozen=True)
class BoundaryFall(ScoreAttack):
    """Score by how much the distance of ``boundary`` falls from the original to the unlearned model."""

    needs: ClassVar[Needs] = Needs(label=True, boundary=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the fall (n,)."""
        return view.boundary.before - view.boundary.after
