"""No defense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys


@dataclass(frozen=True)
class NoDefense(ReleaseDefense):
    """Release the posteriors unchanged."""

    keeps_label: ClassVar[bool] = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C) unchanged."""
        return log_posteriors
