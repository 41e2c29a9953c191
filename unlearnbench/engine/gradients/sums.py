"""Gradients of the summed cross-entropy of sets of records, of one set or of many at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Records, TrainingSet
from unlearnbench.engine.gradients.perceptron import gradients_of_sums, is_perceptron
from unlearnbench.engine.networks.modules import HasModule

if TYPE_CHECKING:
    import torch

_BLOCK = 256
"""The most records that a product takes at once."""
_NUMBERS = 2**15
"""The most features of records that are read at once, beyond a block of them."""


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
    import torch

    places = _first_alike(sets)
    first, *others = fitted.module.parameters()
    sums = first.new_zeros(len(sets), first.numel() + sum(each.numel() for each in others))
    for pack in _packs({place: sets[place] for place in places}):
        numbers = torch.tensor([block.number for block in pack], device=sums.device)
        sums.index_add_(0, numbers, _of_pack(fitted, pack))
    return sums.index_select(0, torch.tensor(places, device=sums.device))


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
    """Yield blocks whose records are read together: as many as hold no more than so many features, but one at least."""
    pack: list[Block] = []
    for block in _blocks(sets):
        most = max(_BLOCK, _NUMBERS // math.prod(block.records.x.shape[1:]))
        if pack and sum(len(each.ids) for each in pack) + len(block.ids) > most:
            yield pack
            pack = []
        pack.append(block)
    if pack:
        yield pack


def _blocks(sets: Mapping[int, TrainingSet]) -> Iterator[Block]:
    for number, data in sets.items():
        for begin in range(0, len(ids := data.kept_ids), _BLOCK):
            yield Block(number, data.records, ids[begin : begin + _BLOCK])


def _of_pack(fitted: HasModule, pack: Sequence[Block]) -> torch.Tensor:
    """Return the gradient (blocks, P) of the summed cross-entropy of each block; they are read together."""
    import torch

    x = fitted.inputs(_read(pack, lambda records: records.x))
    y = torch.from_numpy(_read(pack, lambda records: records.y)).to(fitted.device)
    sizes = [len(each.ids) for each in pack]
    inputs, labels = torch.split(x, sizes), torch.split(y, sizes)
    if is_perceptron(fitted.module):
        return _of_perceptron(fitted.module, inputs, labels, sizes)
    return torch.stack([_gradient_of_sum(fitted.module, own.clone(), y) for own, y in zip(inputs, labels, strict=True)])


def _read(pack: Sequence[Block], of: Callable[[Records], NDArray[Any]]) -> NDArray[Any]:
    """Return the rows of all blocks; those of one data set, or of one guarded view of it, are read at once."""
    runs = [list(run) for _, run in groupby(pack, key=lambda block: id(block.records))]
    return np.concatenate([of(run[0].records)[np.concatenate([each.ids for each in run])] for run in runs])


def _of_perceptron(
    module: torch.nn.Module, x: Sequence[torch.Tensor], y: Sequence[torch.Tensor], sizes: Sequence[int]
) -> torch.Tensor:
    """Return the gradients (blocks, P); blocks of as many records are done together."""
    import torch

    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    groups = [list(group) for _, group in groupby(order, key=sizes.__getitem__)]
    found = [gradients_of_sums(module, [x[k] for k in group], torch.stack([y[k] for k in group])) for group in groups]
    return found[0] if len(found) == 1 else torch.cat(found)[torch.tensor(order).argsort()]


def _gradient_of_sum(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.cat([(len(y) * each).flatten() for each in gradient_of_mean(module, x, y)])


def gradient_of_mean(module: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradient of the mean cross-entropy of inputs (n, ...) and labels (n,) by each parameter."""
    import torch

    return list(torch.autograd.grad(torch.nn.functional.cross_entropy(module(x), y), list(module.parameters())))
