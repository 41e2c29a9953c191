"""A small network for tests, and its weights as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np

from unlearnbench.builtin.models.mlp.fitted import FittedMLP
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.sklearn_model import Constant

SMALL = MLP(hidden=(8,), epochs=2, batch_size=16)


def train(model: MLP, data: TrainingSet, seeds: Seeds, start: FittedMLP | Constant | None = None) -> Any:
    return model.fit(FitTask(data, seeds, start), "cpu")


def weights(fitted: Any) -> np.ndarray:
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in fitted.module.parameters()])
