"""The width of a network's output: a class more, a class fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.fresh import initialize

if TYPE_CHECKING:
    import torch


def widen(block: torch.nn.Module, seed: int) -> None:
    """Give the last block of a network one output more, in place, drawn as torch does; the others stay to the bit.

    UserError where the block does not end in a linear layer.
    """
    last = output_layer(block)
    wider = _linear(last, last.out_features + 1)
    initialize(wider, seed)
    _resize(last, wider)


def narrow(block: torch.nn.Module) -> None:
    """Take its last output from the last block of a network, in place."""
    last = output_layer(block)
    _resize(last, _linear(last, last.out_features - 1))


def output_layer(block: torch.nn.Module) -> torch.nn.Linear:
    """Return the linear layer that a block ends in; UserError where its last layer with parameters is none."""
    import torch

    layers = [each for each in block.modules() if list(each.parameters(recurse=False))]
    if not layers or not isinstance(layers[-1], torch.nn.Linear):
        raise UserError(f"needs a network that ends in a linear layer; {type(block).__name__} does not")
    return layers[-1]


def _linear(like: torch.nn.Linear, outputs: int) -> torch.nn.Linear:
    """Return a layer of so many outputs whose values are not set, which draws nothing."""
    import torch

    made = torch.nn.Linear(like.in_features, outputs, like.bias is not None, device="meta", dtype=like.weight.dtype)
    return made.to_empty(device=like.weight.device)


def _resize(layer: torch.nn.Linear, to: torch.nn.Linear) -> None:
    """Give a layer the shape of another, whose values are kept where the layer has none."""
    for name, values in to.named_parameters():
        own = getattr(layer, name)
        kept = min(len(own), len(values))
        values.data[:kept] = own.data[:kept]
        own.data, own.grad = values.data, None
    layer.out_features = to.out_features
