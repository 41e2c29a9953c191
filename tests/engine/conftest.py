from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.core.records import Provenance, Records


@pytest.fixture
def records() -> Records:
    x = np.random.default_rng(0).normal(size=(60, 2))
    return Records("toy", x, np.arange(60) % 3, 3, Provenance("made up", "CC0"))
