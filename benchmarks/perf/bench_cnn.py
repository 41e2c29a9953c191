"""The small convolutional network on MNIST: channels last in memory, a fused optimizer and bfloat16.

The reference is always the plain loop in float32; bfloat16 is what ``precision: bf16`` asks for.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from comparing import Compare
from jobs import episode

from unlearnbench.builtin.datasets.mnist import Mnist
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.engine.networks.training import Precision

N = 640  # ten steps


def flops(side: int = 28) -> float:
    """Return the operations of one training: forward pass, gradient, and what layers but the first hand back."""
    first = 9 * 32 * (side - 2) ** 2
    rest = 9 * 32 * 64 * (side - 4) ** 2 + 64 * ((side - 4) // 2) ** 2 * 128 + 128 * 10
    return 2 * N * (2 * first + 3 * rest)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def bench_cnn(precision: Precision, compare: Compare) -> None:
    """Train two models, one that lacks a record, for one epoch."""
    dataset = Mnist(size=2 * N)
    if missing := [file.name for file in dataset.files() if not file.find()]:
        pytest.skip(f"needs MNIST ({', '.join(missing)}): set UNLEARNBENCH_DATA to where it is")
    model = SimpleCNN(epochs=1)
    quick = replace(model, precision=precision)
    tasks = episode(dataset.load(), N, k=1)
    compare(
        "CNN",
        f"MNIST, {precision} against fp32",
        reference=lambda: [model.fit(task, "cpu") for task in tasks],
        reference_models=len(tasks),
        fast=lambda: quick.fit_many(tasks, "cpu"),
        fast_models=len(tasks),
        flops=flops(),
        rounds=5,
    )
