"""A sham: the original with noise on its answers, a control row that forgets nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat

from unlearnbench.core.models import Fitted
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.seeding import keyed_normals, row_keys
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.hooks.records import Seen


@dataclass(frozen=True)
class RandomNoise(FunctionUnlearner):
    """Add Gaussian noise of standard deviation ``sigma`` to the original's log-posteriors and normalize again.

    Each version has its own noise; within one version equal records get equal noise however often they are asked.

    ``sigma``: standard deviation of the noise on log-posteriors, in nats
    """

    sigma: NonNegativeFloat = 0.1

    sees: ClassVar[tuple[Seen, ...]] = ()

    def unlearn(self, deletion: Deletion) -> Fitted:
        """Return the noisy original, in later steps too: no version carries the noise of an earlier one."""
        return NoisyAnswers(deletion.original.fitted, self.sigma, int(deletion.seeds.rng().integers(2**32)))

    def record_passes(self, deletion: Deletion) -> float:
        """Return 0: nothing is trained."""
        return 0.0


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
