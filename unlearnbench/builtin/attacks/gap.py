"""The gap attack: was the label right before and is wrong now (label-only; Yeom et al. 2018, arXiv 1709.01604)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View


@dataclass(frozen=True)
class Gap(ScoreAttack):
    """Score 1 where only the original is right, -1 where only the unlearned model is, else 0.

    A model is right where the true class is the most probable one; of equal ones the first counts. The attack works
    where only labels are released. Other label-only attacks ask about points around the record too.
    """

    needs: ClassVar[Needs] = Needs(label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the difference (n,)."""
        right = [answers.argmax(axis=1) == view.label for answers in (view.before, view.after)]
        before, after = np.asarray(right, dtype=np.float64)
        return np.asarray(before - after)
