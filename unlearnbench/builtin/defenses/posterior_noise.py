"""Noise on the posteriors, drawn for every model and record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.seeding import keyed_normals


@dataclass(frozen=True)
class PosteriorNoise(ReleaseDefense):
    """Add Gaussian noise to the log-posteriors and normalize again. It gives no formal guarantee.

    Noise is keyed by model and record, so that repeated queries do not average it out. The original is one model, the
    same for all requests.

    ``sigma``: standard deviation of the noise on each log-posterior
    """

    sigma: PositiveFloat = 0.5

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the noisy log-posteriors (n, C)."""
        request = np.where(keys.version == 0, 0, keys.request)
        model = (keys.episode, request, keys.version, keys.record)
        classes = np.arange(log_posteriors.shape[1])
        noise = keyed_normals(keys.seed, *(key[:, None] for key in model), classes[None])
        return log_softmax(log_posteriors + self.sigma * noise)
