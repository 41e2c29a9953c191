"""ScoreDiff: the rise of a record's loss (Jagielski et al. 2022, arXiv 2205.06369)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import true_class


@dataclass(frozen=True)
class ScoreDiff(ScoreAttack):
    """Score l_u - l_o, where l is the cross-entropy (natural logarithm) of the true class; it needs the label.

    Of several unlearned versions it reads the last, like the paper's ``back-front`` on a sequence of models.
    """

    needs: ClassVar[Needs] = Needs(label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the rise (n,) of the loss from the original to the last unlearned model."""
        return true_class(view.before, view.label) - true_class(view.after, view.label)
