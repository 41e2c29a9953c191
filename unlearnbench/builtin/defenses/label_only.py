"""Label only: the model releases only the predicted class (a defense of Chen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_of


@dataclass(frozen=True)
class LabelOnly(ReleaseDefense):
    """Release a one-hot posterior for the most probable class; of equally probable classes the first."""

    keeps_label: ClassVar[bool] = True

    def release(self, log_posteriors: NDArray[np.float64], keys: ReleaseKeys) -> NDArray[np.float64]:
        """Return log one-hot rows (n, C), with the floor of :func:`~unlearnbench.core.posteriors.log_of` for zero."""
        one_hot = np.eye(log_posteriors.shape[1])
        return log_of(one_hot[log_posteriors.argmax(axis=1)])
