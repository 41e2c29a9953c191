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
    if not is_perceptron(module):
        return copy.deepcopy(module)
    return _copy(module, (each.detach().clone() for each in module.parameters()))


def with_weights(module: torch.nn.Module, weights: Sequence[torch.Tensor]) -> torch.nn.Module:
    """Return a copy of a module with other values of its parameters, of which it makes copies."""
    if is_perceptron(module):
        return _copy(module, (each.clone() for each in weights))
    made = copy.deepcopy(module)
    for parameter, values in zip(made.parameters(), weights, strict=True):
        parameter.data.copy_(values)
    return made


def _copy(module: torch.nn.Module, values: Iterator[torch.Tensor]) -> torch.nn.Module:
    """Return a copy with these parameters; attributes are numbers, modules, and containers of hooks."""
    import torch

    made = type(module).__new__(type(module))
    own = vars(made)  # filled directly: a module's way to set an attribute takes as long as the rest
    own.update(
        (name, value.copy() if isinstance(value, (dict, set)) else value) for name, value in vars(module).items()
    )
    for name, parameter in module._parameters.items():
        if parameter is not None:
            own["_parameters"][name] = torch.nn.Parameter(next(values), parameter.requires_grad)
    for name, child in module._modules.items():
        if child is not None:
            own["_modules"][name] = _copy(child, values)
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


def gradients_of_sums(module: torch.nn.Module, x: Sequence[torch.Tensor], y: torch.Tensor) -> torch.Tensor:
    """Return the gradients (sets, P) of the summed cross-entropy of sets of n records each by all P parameters.

    ``x`` is the inputs (n, ...) of each set, ``y`` the labels (sets, n). Each product is of one set, in memory of its
    own: products round by how many records they are of, and by where these begin. The rest is done for all sets.
    """
    import torch

    with torch.inference_mode():
        layers, inputs, logits = _forward_each(module, x)
        slopes = logits.softmax(dim=2).scatter_add_(2, y.unsqueeze(2), -torch.ones_like(logits[:, :, :1]))
        parts: list[torch.Tensor] = []
        for layer, given in zip(reversed(layers), reversed(inputs), strict=True):
            stacked = torch.stack(given)
            parts += [slopes.sum(dim=1), _outer(slopes, given, stacked).flatten(1)]
            if layer is not layers[0]:
                back = torch.stack([own.clone() @ layer.weight for own in slopes.unbind()])
                slopes = torch.ops.aten.threshold_backward(back, stacked, 0)  # that of ReLU
        return torch.cat(parts[::-1], dim=1)


def _outer(slopes: torch.Tensor, given: Sequence[torch.Tensor], stacked: torch.Tensor) -> torch.Tensor:
    """Return the gradients (sets, out, in) by a weight, given slopes (sets, n, out) and each set's inputs (n, in)."""
    import torch

    if slopes.shape[1] == 1:
        return slopes.mT * stacked  # a product of two numbers rounds in one way
    return torch.stack([own.T @ each for own, each in zip(slopes.unbind(), given, strict=True)])


def _forward_each(
    module: torch.nn.Module, x: Sequence[torch.Tensor]
) -> tuple[list[torch.nn.Linear], list[list[torch.Tensor]], torch.Tensor]:
    """Return the linear layers, the inputs (n, in) of each for each set, and the logits (sets, n, C)."""
    import torch

    layers, inputs, given = _linear_layers(module), [], [each.clone() for each in x]
    for layer in layers:
        inputs.append(given)
        weight, bias = layer.weight, layer.bias
        given = [torch.nn.functional.linear(each, weight, bias) for each in given]
        given = given if layer is layers[-1] else [each.relu_() for each in given]
    return layers, inputs, torch.stack(given)


def _linear_layers(module: torch.nn.Module) -> list[torch.nn.Linear]:
    import torch

    return [part for part in module.children() if isinstance(part, torch.nn.Linear)]


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

    layers, inputs = _linear_layers(module), []
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
