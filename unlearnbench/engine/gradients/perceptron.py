"""Sums over the gradients of single records of a perceptron, which need not be made for it.

The gradient of a layer's weight (out, in) for one record is the outer product of the slope (out,) of what is measured
by the layer's outputs, and the layer's inputs (in,). Absolute values and squares of a product are the products of those
of its factors, so their sum over records is one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def sum_by_record(
    module: torch.nn.Module,
    measure: Callable[..., torch.Tensor],
    power: int,
    block: Sequence[torch.Tensor],
) -> list[torch.Tensor]:
    """Return for each parameter the sum, over records and numbers of ``measure``, of absolute gradients to ``power``.

    ``module`` is linear layers with ReLU in turns; ``block`` is the inputs (n, ...), then labels where measured.
    """
    import torch

    x, *labels = block
    with torch.no_grad():
        layers, inputs, logits = _forward(module, x)
        slopes = _slopes(measure, logits, labels)
        parts: list[torch.Tensor] = []
        for layer, given in zip(reversed(layers), reversed(inputs), strict=True):
            by_output = slopes.abs().pow(power).sum(dim=1)
            parts += [by_output.sum(dim=0), by_output.T @ given.abs().pow(power)]
            if layer is not layers[0]:
                slopes = (slopes @ layer.weight) * (given > 0).unsqueeze(1)
    return parts[::-1]


def _forward(
    module: torch.nn.Module, x: torch.Tensor
) -> tuple[list[torch.nn.Linear], list[torch.Tensor], torch.Tensor]:
    """Return the linear layers, the inputs (n, in) of each, and the logits (n, C)."""
    import torch

    layers, inputs = [], []
    for part in module.children():
        if isinstance(part, torch.nn.Linear):
            layers.append(part)
            inputs.append(x)
        x = part(x)
    return layers, inputs, x


def _slopes(measure: Callable[..., torch.Tensor], logits: torch.Tensor, labels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the derivatives (n, numbers of ``measure``, C) by the logits of each record."""
    import torch

    def measured(logits: torch.Tensor, *y: torch.Tensor) -> torch.Tensor:
        return measure(logits.unsqueeze(0), *(label.unsqueeze(0) for label in y)).reshape(-1)

    slopes: torch.Tensor = torch.func.vmap(torch.func.jacrev(measured))(logits, *labels)
    return slopes
