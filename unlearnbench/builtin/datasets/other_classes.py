"""Labels that are wrong on purpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def other_classes(y: NDArray[np.int64], n_classes: int, drawn: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each label (n,) another one, every one as likely; ``drawn`` (n,) are uniform in [0, 1)."""
    return np.asarray((y + 1 + (drawn * (n_classes - 1)).astype(np.int64)) % n_classes)
