"""Differentially private training of a multilayer perceptron, in plain tensors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.models.mlp.fitted import PrivateFastMLP, PrivateMLP
from unlearnbench.core.models import Fitted
from unlearnbench.core.options import DPSGD
from unlearnbench.engine.mlp.noise import normals
from unlearnbench.engine.privacy import Budget, PrivateRun

if TYPE_CHECKING:
    import torch

UNPROTECTED = PrivateRun(noise_multiplier=0.0, sample_rate=1.0, steps=1)
"""Training without privacy, whose epsilon is infinite."""


def budget_of(run: PrivateRun, start: Fitted | None, dp: DPSGD) -> Budget:
    """Return the privacy loss of a run, together with that of the model that it goes on from."""
    if start is None:
        return Budget((run,), dp.delta)
    before = start.budget.runs if isinstance(start, PrivateMLP | PrivateFastMLP) else (UNPROTECTED,)
    return Budget((*before, run), dp.delta)


def train_privately(
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    batches: Iterable[NDArray[np.int64]],
    dp: DPSGD,
    expected: float,
    noise_seed: int,
) -> None:
    """Take a step for each batch of rows, empty ones too: skipping a step would reveal that its batch was empty.

    ``expected`` is the batch size by which sums of gradients are divided; the true one would reveal who was in it.
    """
    import torch

    parameters = list(module.parameters())
    size = sum(parameter.numel() for parameter in parameters)
    for step, batch in enumerate(batches):
        rows = torch.from_numpy(batch).to(x.device)
        noise = torch.from_numpy(normals(noise_seed, step, size)).to(x.device)
        slope = (clipped_sum(module, x[rows], y[rows], dp.clip) + dp.noise_multiplier * dp.clip * noise) / expected
        parts = torch.split(slope, [parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        optimizer.step()


def clipped_sum(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, clip: float) -> torch.Tensor:
    """Return the sum (parameters,) of the records' gradients, each scaled down to Euclidean norm ``clip`` at most."""
    import torch

    parameters = list(module.parameters())
    total = torch.zeros(sum(parameter.numel() for parameter in parameters), device=x.device)
    for row, label in zip(x, y, strict=True):
        loss = torch.nn.functional.cross_entropy(module(row), label)
        gradient = torch.cat([part.flatten() for part in torch.autograd.grad(loss, parameters)])
        total += gradient * (clip / gradient.norm()).clamp(max=1)
    return total
