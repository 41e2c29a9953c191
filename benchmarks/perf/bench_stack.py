"""Multilayer perceptrons under dropout: stacked, against a loop over tensors, one network after the other.

On a CPU the stack is for dropout alone; what it is worth on a GPU is not known.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparing import Compare
from jobs import DATA, episode

from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.options import TrainingOptions


@pytest.mark.parametrize("hidden", [(256, 128, 64, 32), (64, 32), (32,)])
def bench_stack(hidden: tuple[int, ...], compare: Compare) -> None:
    """Train an original and 31 models that lack a record each."""
    model = MLP(hidden=hidden, epochs=3)
    tasks = [replace(task, options=TrainingOptions(dropout=0.5)) for task in episode(DATA["Adult"](), 1999, k=31)]
    compare(
        "MLP, dropout",
        f"Adult, {'-'.join(map(str, hidden))}",
        reference=lambda: [model.fit(task, "cpu") for task in tasks[:2]],
        reference_models=2,
        fast=lambda: model.fit_many(tasks, "cpu"),
        fast_models=len(tasks),
        rounds=5,
    )
