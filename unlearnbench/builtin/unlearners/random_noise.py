"""A sham: the original with noise on its answers, a control row that forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat

from unlearnbench.core.models import Fitted
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import keyed_normals, row_keys
from unlearnbench.engine.unlearners import FunctionUnlearner


@dataclass(frozen=True)
class RandomNoise(FunctionUnlearner):
    """Add Gaussian noise of standard deviation ``sigma`` to the original's log-posteriors and normalize again.

    Each version has its own noise; within one version equal records get equal noise however often they are asked.

    ``sigma``: standard deviation of the noise on log-posteriors, in nats
    """

    sigma: NonNegativeFloat = 0.1

    def unlearn(self, fitted: Fitted, retain: TrainingSet, forget: TrainingSet, rng: np.random.Generator) -> Fitted:
        """Return the noisy original; in a chain too, where ``fitted`` carries an earlier version's noise."""
        original = fitted.fitted if isinstance(fitted, NoisyAnswers) else fitted
        return NoisyAnswers(original, self.sigma, int(rng.integers(2**32)))


@dataclass(frozen=True)
class NoisyAnswers:
    """A model whose log-posteriors carry noise keyed by the queried record."""

    fitted: Fitted
    sigma: float
    seed: int

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the noisy log-posteriors (n, C)."""
        exact = self.fitted.log_posteriors(x)
        noise = keyed_normals(self.seed, row_keys(x)[:, None], np.arange(exact.shape[1])[None])
        return log_softmax(exact + self.sigma * noise)
