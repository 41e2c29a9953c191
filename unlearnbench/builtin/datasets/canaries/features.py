"""The features that canaries are chosen by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records


def standardized(records: Records) -> NDArray[np.float64]:
    """Return the features (n, d), each with mean 0 and, unless it is constant, variance 1 over all records."""
    x = records.x.reshape(len(records), -1)
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
