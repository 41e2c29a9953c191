from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from unlearnbench.core.models import Seeds
from unlearnbench.core.records import Provenance, Records

Blobs = Callable[..., Records]


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)  # more only slows nets this small, and a run pins it too


@pytest.fixture
def seeds() -> Seeds:
    return Seeds(init=11, order=22, noise=33)


@pytest.fixture
def blobs() -> Blobs:
    """Return a maker of overlapping Gaussian blobs, one per class, features on unlike scales, no two rows alike."""

    def make(n: int = 150, n_classes: int = 3, d: int = 4, seed: int = 0) -> Records:
        rng = np.random.default_rng(seed)
        y = np.arange(n, dtype=np.int64) % n_classes
        x = (rng.normal(size=(n_classes, d))[y] + rng.normal(size=(n, d))) * np.geomspace(1, 1000, d) + 7
        return Records("blobs", x, y, n_classes, Provenance("made up", "none"))

    return make
