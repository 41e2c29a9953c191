"""Gradients of the summed cross-entropy of sets of records, of one set or of many at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.engine.gradients.perceptron import gradient_of_sum, is_perceptron
from unlearnbench.engine.networks.modules import HasModule

if TYPE_CHECKING:
    import torch

_BLOCK = 256
"""The most records that a pass takes at once."""


class Block(NamedTuple):
    """Some records of a set."""

    number: int
    """That of the set."""
    records: Records
    ids: NDArray[np.int64]


def mean_gradient(fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
    """Return the gradient of the mean cross-entropy of ``data`` by each parameter, in evaluation mode; 0 if empty."""
    return [total / max(len(data), 1) for total in gradient_sum(fitted, data)]


def gradient_sum(fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
    """Return the gradient of the summed cross-entropy of ``data`` by each parameter, in evaluation mode; 0 if empty."""
    return by_parameter(fitted.module, gradient_sums(fitted, [data])[0])


def gradient_sums(fitted: HasModule, sets: Sequence[TrainingSet]) -> torch.Tensor:
    """Return what :func:`gradient_sum` does, of each of several sets of one data set, as rows (sets, P) of numbers.

    The P numbers are those of all parameters, one behind the other. A row is the same to the bit alone and among
    others. Sets of the same records in the same order are gone through once.
    """
    places = _first_alike(sets)
    first, *others = fitted.module.parameters()
    sums = first.new_zeros(len(sets), first.numel() + sum(each.numel() for each in others))
    for pack in _packs({place: sets[place] for place in places}):
        sums[[block.number for block in pack]] += _of_pack(fitted, pack)
    return sums[places]


def _first_alike(sets: Sequence[TrainingSet]) -> list[int]:
    """Return for each set the number of the first one of the same records in the same order."""
    first: dict[bytes, int] = {}
    return [first.setdefault(data.kept_ids.tobytes(), number) for number, data in enumerate(sets)]


def by_parameter(module: torch.nn.Module, row: torch.Tensor) -> list[torch.Tensor]:
    """Return numbers (P,) in the shapes of the parameters."""
    return _shaped(list(module.parameters()), row)


def move(module: torch.nn.Module, step: torch.Tensor) -> None:
    """Add a step (P,) to the parameters, in place."""
    import torch

    parameters: list[torch.Tensor] = list(module.parameters())
    with torch.no_grad():
        torch._foreach_add_(parameters, _shaped(parameters, step))


def _shaped(parameters: Sequence[torch.Tensor], row: torch.Tensor) -> list[torch.Tensor]:
    import torch

    parts = torch.split(row, [each.numel() for each in parameters])
    return [part.view_as(each) for part, each in zip(parts, parameters, strict=True)]


def _packs(sets: Mapping[int, TrainingSet]) -> Iterator[list[Block]]:
    """Yield blocks that are read together: those of small sets, or as much of a large one as is taken at once."""
    pack: list[Block] = []
    for number, data in sets.items():
        for begin in range(0, len(ids := data.kept_ids), _BLOCK):
            block = Block(number, data.records, ids[begin : begin + _BLOCK])
            if pack and sum(len(each.ids) for each in pack) + len(block.ids) > _BLOCK:
                yield pack
                pack = []
            pack.append(block)
    if pack:
        yield pack


def _of_pack(fitted: HasModule, pack: Sequence[Block]) -> torch.Tensor:
    """Return the gradient (blocks, P) of the summed cross-entropy of each block.

    They are read together, but each goes through the network by itself, in memory of its own: products round by how
    many records they are of, and by where these begin.
    """
    import torch

    x = fitted.inputs(np.concatenate([each.records.x[each.ids] for each in pack]))
    y = torch.from_numpy(np.concatenate([each.records.y[each.ids] for each in pack])).to(fitted.device)
    sizes = [len(each.ids) for each in pack]
    gradient = gradient_of_sum if is_perceptron(fitted.module) else _gradient_of_sum
    blocks = zip(torch.split(x, sizes), torch.split(y, sizes), strict=True)
    return torch.stack([_flat(gradient(fitted.module, inputs.clone(), labels)) for inputs, labels in blocks])


def _gradient_of_sum(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    return [len(y) * each for each in gradient_of_mean(module, x, y)]


def gradient_of_mean(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradient of the mean cross-entropy of inputs (n, ...) and labels (n,) by each parameter."""
    import torch

    return list(torch.autograd.grad(torch.nn.functional.cross_entropy(module(x), y), list(module.parameters())))


def _flat(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    import torch

    return torch.cat([each.flatten() for each in parts])
