"""How much each parameter of a network matters to a set of records: sums over the gradients of single records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.perceptron import is_perceptron, sum_by_record
from unlearnbench.engine.gradients.sums import gradient_of_mean
from unlearnbench.engine.networks.modules import HasModule

if TYPE_CHECKING:
    import torch

    Measure = Callable[..., torch.Tensor]
    """Maps logits (1, C), and labels (1,) where they are read, to a number or several."""

Power = Literal[1, 2]
"""1 for absolute values, 2 for squares."""

_BLOCK = 256
"""The most records that a pass takes at once."""
_NUMBERS = 2**24
"""The most numbers of all gradients of a pass, which bounds memory."""


def cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of logits (n, C), in nats."""
    import torch

    return torch.nn.functional.cross_entropy(logits, y)


def mean_squared_gradient(fitted: HasModule, data: TrainingSet, batch_size: int = 1) -> list[torch.Tensor]:
    """Return the mean over batches of the squared gradient of the batch's mean cross-entropy, in evaluation mode.

    With batches of one record it is the diagonal of the empirical Fisher information, which does not depend on the
    order of records. Larger batches are taken in the order of ``data``.
    """
    if batch_size == 1:
        return _mean_by_record(fitted, data, cross_entropy, 2, labels=True)
    sums, batches = _zeros(fitted), list(_blocks(fitted, data, batch_size, labels=True))
    for x, y in batches:
        _add(sums, [each.square() for each in gradient_of_mean(fitted.module, x, y)])
    return [total / max(len(batches), 1) for total in sums]


def mean_by_record(fitted: HasModule, data: TrainingSet, measure: Measure, power: Power) -> list[torch.Tensor]:
    """Return the mean over records of the absolute gradient of ``measure``, to ``power``, in evaluation mode.

    ``measure`` maps logits (1, C) to a number, or to several, whose gradients count each and are summed. Labels are not
    read.
    """
    return _mean_by_record(fitted, data, measure, power, labels=False)


def _mean_by_record(
    fitted: HasModule, data: TrainingSet, measure: Measure, power: Power, labels: bool
) -> list[torch.Tensor]:
    sums = _zeros(fitted)
    for parts in _sums_by_record(fitted, data, measure, power, labels):
        _add(sums, parts)
    return [total / max(len(data), 1) for total in sums]


def _sums_by_record(
    fitted: HasModule, data: TrainingSet, measure: Measure, power: Power, labels: bool
) -> Iterator[list[torch.Tensor]]:
    """Yield the sum over each block of records."""
    if is_perceptron(fitted.module):
        for block in _blocks(fitted, data, _BLOCK, labels):
            yield sum_by_record(fitted.module, measure, power, block)
    else:
        for gradients in _by_record(fitted, data, measure, labels):
            yield [each.abs().pow(power).sum(dim=(0, 1)) for each in gradients]


def gradients_by_record(fitted: HasModule, data: TrainingSet) -> torch.Tensor:
    """Return the gradient (n, P) of each record's cross-entropy by all P parameters, in evaluation mode."""
    import torch

    blocks = [
        torch.cat([each.flatten(1) for each in gradients], dim=1)
        for gradients in _by_record(fitted, data, cross_entropy, labels=True)
    ]
    return torch.cat(blocks) if blocks else torch.zeros(0, sum(each.numel() for each in _zeros(fitted)))


def _by_record(fitted: HasModule, data: TrainingSet, measure: Measure, labels: bool) -> Iterator[list[torch.Tensor]]:
    """Yield the gradients (b, numbers of ``measure``, ...) of b records; those of a block are one vectorized pass."""
    import torch

    parameters = {name: each.detach() for name, each in fitted.module.named_parameters()}

    def measured(parameters: dict[str, torch.Tensor], x: torch.Tensor, *y: torch.Tensor) -> torch.Tensor:
        logits = torch.func.functional_call(fitted.module, parameters, (x.unsqueeze(0),))
        return measure(logits, *(label.unsqueeze(0) for label in y)).reshape(-1)

    by_record = torch.func.vmap(torch.func.jacrev(measured), in_dims=(None, 0, 0) if labels else (None, 0))
    for block in _blocks(fitted, data, _block_size(parameters, data.n_classes), labels):
        yield list(by_record(parameters, *block).values())


def _block_size(parameters: dict[str, torch.Tensor], outputs: int) -> int:
    each = outputs * sum(values.numel() for values in parameters.values())
    return max(1, min(_BLOCK, _NUMBERS // each))


def _zeros(fitted: HasModule) -> list[torch.Tensor]:
    import torch

    return [torch.zeros_like(each, requires_grad=False) for each in fitted.module.parameters()]


def _add(sums: list[torch.Tensor], parts: list[torch.Tensor]) -> None:
    for total, part in zip(sums, parts, strict=True):
        total += part


def _blocks(fitted: HasModule, data: TrainingSet, size: int, labels: bool) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield the inputs (b, ...) of b records, with their ``labels`` (b,) where these are asked for."""
    import torch

    for ids in np.split(data.kept_ids, range(size, len(data), size)):
        if len(ids):
            inputs = fitted.inputs(data.records.x[ids])
            yield (inputs, torch.from_numpy(data.records.y[ids]).to(fitted.device)) if labels else (inputs,)
