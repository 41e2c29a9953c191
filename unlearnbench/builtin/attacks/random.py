"""Control: random scores. The interval of its AUC must contain .5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.seeding import keyed_uniforms


@dataclass(frozen=True)
class Random(Attack):
    """Score each row by a uniform draw that does not depend on the row's content."""

    needs: ClassVar[Needs] = Needs(versions="none")

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Draw the seed of all scores."""
        return Guess(int(rng.integers(2**63)))


@dataclass(frozen=True)
class Guess:
    """Draws keyed by the row, so that its score is the same in every view."""

    seed: int

    def score(self, view: View) -> NDArray[np.float64]:
        """Return a uniform draw in [0, 1) per row (n,)."""
        return keyed_uniforms(self.seed, view.key)
