"""Gradients of a network over a set of records: their mean, and the mean of their squares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.networks.modules import HasModule

if TYPE_CHECKING:
    import torch

_BLOCK = 256
"""How many records a pass takes at once, which bounds memory."""


def mean_gradient(fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
    """Return the gradient of the mean cross-entropy of ``data`` by each parameter, in evaluation mode; 0 if empty."""
    import torch

    sums = [torch.zeros_like(each) for each in fitted.module.parameters()]
    for x, y in _blocks(fitted, data, _BLOCK):
        logits = fitted.module(x)
        loss = torch.nn.functional.cross_entropy(logits, y, reduction="sum")
        for total, part in zip(sums, torch.autograd.grad(loss, list(fitted.module.parameters())), strict=True):
            total += part
    return [total / max(len(data), 1) for total in sums]


def mean_squared_gradient(fitted: HasModule, data: TrainingSet, batch_size: int = 1) -> list[torch.Tensor]:
    """Return the mean over batches of the squared gradient of the batch's mean cross-entropy, in evaluation mode.

    With batches of one record it is the diagonal of the empirical Fisher information, which does not depend on the
    order of records. Larger batches are taken in the order of ``data``.
    """
    import torch

    parts = _squares_by_record(fitted, data) if batch_size == 1 else _squares_by_batch(fitted, data, batch_size)
    sums, count = [torch.zeros_like(each) for each in fitted.module.parameters()], 0
    for squares, n in parts:
        count += n
        for total, part in zip(sums, squares, strict=True):
            total += part
    return [total / max(count, 1) for total in sums]


def _squares_by_record(fitted: HasModule, data: TrainingSet) -> Iterator[tuple[list[torch.Tensor], int]]:
    """Yield the sum of squares of some records, and their number; the records of a block are one vectorized pass."""
    import torch

    parameters = {name: each.detach() for name, each in fitted.module.named_parameters()}

    def loss(parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        logits = torch.func.functional_call(fitted.module, parameters, (x.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(logits, y.unsqueeze(0))

    by_record = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))
    for x, y in _blocks(fitted, data, _BLOCK):
        yield [each.square().sum(dim=0) for each in by_record(parameters, x, y).values()], len(y)


def _squares_by_batch(
    fitted: HasModule, data: TrainingSet, batch_size: int
) -> Iterator[tuple[list[torch.Tensor], int]]:
    import torch

    for x, y in _blocks(fitted, data, batch_size):
        loss = torch.nn.functional.cross_entropy(fitted.module(x), y)
        yield [each.square() for each in torch.autograd.grad(loss, list(fitted.module.parameters()))], 1


def _blocks(fitted: HasModule, data: TrainingSet, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    import torch

    for ids in np.split(data.kept_ids, range(size, len(data), size)):
        if len(ids):
            labels = torch.from_numpy(data.records.y[ids]).to(fitted.device)
            yield fitted.inputs(data.records.x[ids]), labels
