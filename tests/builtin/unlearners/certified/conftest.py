from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.core.seeding import SeedPath


def records_of(n_classes: int) -> Records:
    """Return 120 records of classes that overlap."""
    rng = np.random.default_rng(0)
    y = np.arange(120) % n_classes
    x = rng.normal(size=(n_classes, 3))[y] + rng.normal(size=(120, 3))
    return Records("toy", x, y, n_classes, Provenance("made up", "none"))


def original_of(n_classes: int = 2, c: float = 1.0, n: int = 100) -> Original:
    """Return an original of the first ``n`` records."""
    return Original(LogisticRegression(c=c), TrainingSet.of(records_of(n_classes), np.arange(n)), SeedPath(1) / "train")


@pytest.fixture(params=[2, 3])
def n_classes(request: pytest.FixtureRequest) -> int:
    return int(request.param)
