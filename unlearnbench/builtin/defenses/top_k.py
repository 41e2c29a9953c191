"""Top-k: only the k largest posteriors are released (a defense of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_of


@dataclass(frozen=True)
class TopK(ReleaseDefense):
    """Keep the k largest posteriors of a row and distribute the remaining mass evenly over the other classes.

    Of equal posteriors those of the first classes are kept. With k >= n_classes - 1 nothing changes, since only one
    class is left for the remaining mass; with two classes this holds for every k.

    ``k``: number of posteriors that are released unchanged
    """

    k: PositiveInt = 3

    keeps_label: ClassVar[bool] = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C) with all but the k largest replaced by their mean."""
        if self.k >= log_posteriors.shape[1] - 1:
            return log_posteriors
        others = np.argsort(-log_posteriors, axis=1, kind="stable")[:, self.k :]
        hidden = np.take_along_axis(log_posteriors, others, axis=1)
        # The mean of equal numbers can be rounded up; the minimum keeps it below the k largest.
        level = np.minimum(log_of(np.exp(hidden).mean(axis=1)), hidden[:, 0])
        released = log_posteriors.copy()
        np.put_along_axis(released, others, level[:, None], axis=1)
        return released
