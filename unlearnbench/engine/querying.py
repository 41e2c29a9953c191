"""Asking many models about the same records, each constituent once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import Fitted
from unlearnbench.core.posteriors import log_mean


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Several models that answer with the weighted mean of their posteriors; ``weights`` are positive."""

    parts: tuple[Fitted, ...]
    weights: tuple[float, ...]

    def combine(self, answers: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the log of the mean posterior of the parts' ``answers``, each (n, C)."""
        return log_mean(np.stack(answers), self.weights)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the ensemble's log-posteriors (n, C)."""
        return self.combine([part.log_posteriors(x) for part in self.parts])


def query(models: Sequence[Fitted], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-posteriors (len(models), n, C) of all models on ``x``.

    Models and constituents that occur several times, such as the shards that a request left alone, are asked once.
    """
    answers: dict[int, NDArray[np.float64]] = {}

    def ask(model: Fitted) -> NDArray[np.float64]:
        if id(model) not in answers:
            if isinstance(model, Ensemble):
                answers[id(model)] = model.combine([ask(part) for part in model.parts])
            else:
                answers[id(model)] = model.log_posteriors(x)
        return answers[id(model)]

    return np.stack([ask(model) for model in models])
