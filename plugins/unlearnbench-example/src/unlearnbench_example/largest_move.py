"""An attack that is a formula."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from unlearnbench import ScoreAttack, View


@dataclass(frozen=True)
class LargestMove(ScoreAttack):
    """Score the largest absolute change of any class's posterior from the original to the last unlearned model."""

    def score(self, view: View) -> NDArray[np.float64]:
        """Return one score (n,) per row, in [0, 1]."""
        moved = np.abs(np.exp(view.before) - np.exp(view.after))
        return np.asarray(moved.max(axis=1), dtype=np.float64)
