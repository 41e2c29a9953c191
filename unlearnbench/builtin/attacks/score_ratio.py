"""ScoreRatio: the ratio of a record's losses after and before (Jagielski et al. 2022, arXiv 2205.06369)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import true_class


@dataclass(frozen=True)
class ScoreRatio(ScoreAttack):
    """Score (c + l_u) / (c + l_o), where l is the cross-entropy (natural logarithm) of the true class.

    ``c``: limits the ratio of records with almost no loss; the default is that of the authors' code
    """

    c: PositiveFloat = 5e-4

    needs: ClassVar[Needs] = Needs(label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the ratio (n,) of the last unlearned model's loss to the original's."""
        return (self.c - true_class(view.after, view.label)) / (self.c - true_class(view.before, view.label))
