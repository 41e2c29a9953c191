"""Top-k: only the k largest posteriors are told apart (a defense of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_of


@dataclass(frozen=True)
class TopK(ReleaseDefense):
    """Keep the k largest posteriors of a row and spread the rest of its mass evenly over the other classes.

    The lowest class wins a tie. With k >= n_classes - 1 nothing is hidden, since the mass of a single class left over
    is its own: on two classes every k is the identity.

    ``k``: posteriors that are released as they are
    """

    k: PositiveInt = 3

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C) with all but the k largest levelled."""
        if self.k >= log_posteriors.shape[1] - 1:
            return log_posteriors
        others = np.argsort(-log_posteriors, axis=1, kind="stable")[:, self.k :]
        hidden = np.take_along_axis(log_posteriors, others, axis=1)
        # A mean of equal numbers can round above them; the largest of them keeps the level below what was kept.
        level = np.minimum(log_of(np.exp(hidden).mean(axis=1)), hidden[:, 0])
        released = log_posteriors.copy()
        np.put_along_axis(released, others, level[:, None], axis=1)
        return released
