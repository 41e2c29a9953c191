"""Gradient methods of unlearning: all requests of an original in a stack, against one network after the other."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from comparing import Compare
from jobs import DATA

from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.neggrad_plus import NegGradPlus
from unlearnbench.builtin.unlearners.gradient.scrub import Scrub
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients import train
from unlearnbench.engine.gradients.unlearner import GradientUnlearner

METHODS: dict[str, GradientUnlearner] = {
    "finetune": Finetune(epochs=1),
    "neggrad-plus": NegGradPlus(epochs=1),
    "scrub": Scrub(epochs=1),
}


@pytest.mark.parametrize("name", METHODS)
def bench_unlearner(name: str, compare: Compare) -> None:
    """Serve 20 requests of one record each."""
    method, data = METHODS[name], TrainingSet.of(DATA["Adult"](), np.arange(2000))
    state = method.prepare(Original(MLP(hidden=(64, 32)), data, SeedPath(0)))
    deletions = [state.deletion(Step(np.array([r])), SeedPath(1) / r) for r in range(20)]

    def one_by_one() -> Any:
        with patch.object(train, "stackable", return_value=False):
            return method.unlearn_all(deletions[:4])

    compare(
        name,
        "Adult, 64-32, 20 requests, an epoch",
        reference=one_by_one,
        reference_models=4,
        fast=lambda: method.unlearn_all(deletions),
        fast_models=20,
        rounds=5,
        table="Unlearning methods",
    )
