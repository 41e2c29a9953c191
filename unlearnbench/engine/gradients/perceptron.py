"""Perceptrons: linear layers with ReLU in turns. Sums over the gradients of their records, which need not be made.

The gradient of a layer's weight (out, in) for one record is the outer product of the slope (out,) of what is measured
by the layer's outputs, and the layer's inputs (in,). Absolute values and squares of a product are the products of those
of its factors, so their sum over records is one product of matrices.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def is_perceptron(module: torch.nn.Module) -> bool:
    """Return whether a module is linear layers, with biases, and ReLU in turns."""
    import torch

    parts = list(module.children())
    linear = [each for each in parts if type(each) is torch.nn.Linear and each.bias is not None]
    turns = ([torch.nn.Linear, torch.nn.ReLU] * len(linear))[:-1]
    return type(module) is torch.nn.Sequential and bool(linear) and [type(each) for each in parts] == turns


def copy_of(module: torch.nn.Module) -> torch.nn.Module:
    """Return a copy of a module, as ``copy.deepcopy`` does, which takes twenty times as long for a perceptron."""
    return _copy(module) if is_perceptron(module) else copy.deepcopy(module)


def _copy(module: torch.nn.Module) -> torch.nn.Module:
    """Return a copy of a module whose attributes are numbers, parameters, modules, and containers of hooks."""
    import torch

    made = type(module).__new__(type(module))
    own = vars(made)  # filled directly: a module's way to set an attribute takes as long as the rest
    own.update(
        (name, value.copy() if isinstance(value, (dict, set)) else value) for name, value in vars(module).items()
    )
    for name, values in module._parameters.items():
        if values is not None:
            own["_parameters"][name] = torch.nn.Parameter(values.detach().clone(), values.requires_grad)
    for name, child in module._modules.items():
        if child is not None:
            own["_modules"][name] = _copy(child)
    return made


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
        parts: list[torch.Tensor] = []
        for slopes, given in _backward(layers, inputs, _slopes(measure, logits, labels)):
            by_output = slopes.abs().pow(power).sum(dim=1)
            parts += [by_output.sum(dim=0), by_output.T @ given.abs().pow(power)]
    return parts[::-1]


def gradient_of_sum(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradient of the summed cross-entropy of inputs (n, ...) and labels (n,) by each parameter."""
    import torch

    with torch.no_grad():
        layers, inputs, logits = _forward(module, x)
        slopes = logits.softmax(dim=1) - torch.nn.functional.one_hot(y, logits.shape[1])
        parts: list[torch.Tensor] = []
        for by_output, given in _backward(layers, inputs, slopes.unsqueeze(1)):
            parts += [by_output.sum(dim=(0, 1)), by_output.squeeze(1).T @ given]
    return parts[::-1]


def _backward(
    layers: Sequence[torch.nn.Linear], inputs: Sequence[torch.Tensor], slopes: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the slopes (n, numbers, out) by the outputs of each layer, the last one first, and its inputs (n, in)."""
    import torch

    for layer, given in zip(reversed(layers), reversed(inputs), strict=True):
        yield slopes, given
        if layer is not layers[0]:
            slopes = torch.ops.aten.threshold_backward(slopes @ layer.weight, given.unsqueeze(1), 0)  # that of ReLU


def _forward(
    module: torch.nn.Module, x: torch.Tensor
) -> tuple[list[torch.nn.Linear], list[torch.Tensor], torch.Tensor]:
    """Return the linear layers, the inputs (n, in) of each, and the logits (n, C)."""
    import torch

    layers, inputs = [part for part in module.children() if isinstance(part, torch.nn.Linear)], []
    for layer in layers:
        inputs.append(x)
        x = torch.nn.functional.linear(x, layer.weight, layer.bias)
        x = x if layer is layers[-1] else x.relu()
    return layers, inputs, x


def _slopes(measure: Callable[..., torch.Tensor], logits: torch.Tensor, labels: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the derivatives (n, numbers of ``measure``, C) by the logits of each record."""
    import torch

    def measured(logits: torch.Tensor, *y: torch.Tensor) -> torch.Tensor:
        return measure(logits.unsqueeze(0), *(label.unsqueeze(0) for label in y)).reshape(-1)

    slopes: torch.Tensor = torch.func.vmap(torch.func.jacrev(measured))(logits, *labels)
    return slopes
