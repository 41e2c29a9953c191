from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.defenses import ReleaseDefense, ReleaseKeys
from unlearnbench.core.posteriors import log_of


def released(defense: ReleaseDefense, posteriors: ArrayLike) -> NDArray[np.float64]:
    """Probabilities in, released probabilities out."""
    log_posteriors = log_of(posteriors)
    nobody = np.zeros(len(log_posteriors), dtype=np.int64)
    return np.exp(defense.release(log_posteriors, ReleaseKeys(0, nobody, nobody, nobody, nobody)))


@pytest.fixture(scope="session")
def release() -> Callable[[ReleaseDefense, ArrayLike], NDArray[np.float64]]:
    return released
