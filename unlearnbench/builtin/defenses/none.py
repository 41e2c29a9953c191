"""No defense."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys


@dataclass(frozen=True)
class NoDefense(ReleaseDefense):
    """Release the posteriors unchanged."""

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C) unchanged."""
        return log_posteriors
