"""Temperature scaling: flatten the posteriors and keep their order (a defense of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_softmax


@dataclass(frozen=True)
class Temperature(ReleaseDefense):
    """Release softmax(log p / temperature).

    ``temperature``: divides log-posteriors; 1 changes nothing, larger values flatten, smaller ones sharpen
    """

    temperature: PositiveFloat = 2.0

    keeps_label: ClassVar[bool] = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return the log-posteriors (n, C) divided by the temperature and normalized again."""
        return log_softmax(log_posteriors / self.temperature)
