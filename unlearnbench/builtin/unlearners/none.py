"""No unlearning at all: a control row that is perfect against deletion inference and worst at forgetting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unlearnbench.core.models import Fitted
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.unlearners import FunctionUnlearner


@dataclass(frozen=True)
class NoUnlearning(FunctionUnlearner):
    """Keep the original model and call it unlearned."""

    def unlearn(self, fitted: Fitted, retain: TrainingSet, forget: TrainingSet, rng: np.random.Generator) -> Fitted:
        """Return the original."""
        return fitted
