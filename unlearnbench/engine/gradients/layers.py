"""The layers of a network that methods name, and changes of their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from unlearnbench.core.seeding import SeedPath

if TYPE_CHECKING:
    import torch


def convolutions(module: torch.nn.Module) -> list[torch.nn.Conv2d]:
    """Return the two-dimensional convolutions of a network, in the order in which they were added."""
    import torch

    return [layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d)]


def linear_layers(module: torch.nn.Module) -> list[torch.nn.Linear]:
    """Return the linear layers of a network, in the order in which they were added."""
    import torch

    return [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]


def smallest(values: Sequence[torch.Tensor], count: int) -> list[torch.Tensor]:
    """Return which numbers are among the ``count`` smallest of all tensors together; of equal ones the first."""
    import torch

    (chosen,) = smallest_of_rows(torch.cat([each.flatten() for each in values]).unsqueeze(0), count)
    parts = torch.split(chosen, [each.numel() for each in values])
    return [part.view_as(each) for part, each in zip(parts, values, strict=True)]


def smallest_of_rows(rows: torch.Tensor, count: int) -> torch.Tensor:
    """Return which numbers of each of the rows (n, P) are among its ``count`` smallest; of equal ones the first.

    Faster than sorting: only the largest of the smallest is looked for. NaN counts as infinite.
    """
    import torch

    if not count:
        return torch.zeros_like(rows, dtype=torch.bool)
    rows = rows.nan_to_num(torch.inf, torch.inf, -torch.inf)
    largest = rows.kthvalue(count, dim=1, keepdim=True).values
    below, equal = rows < largest, rows == largest
    left = count - below.sum(dim=1, keepdim=True)
    return below | (equal & (equal.cumsum(dim=1) <= left))


def normalizations(module: torch.nn.Module) -> list[torch.nn.Module]:
    """Return the layers of batch normalization of a network, in the order in which they were added."""
    from torch import nn

    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    return [layer for layer in module.modules() if isinstance(layer, kinds)]


def add_noise(values: torch.Tensor, deviation: float, seeds: SeedPath) -> None:
    """Add normal noise to the values of a parameter, in place."""
    import torch

    drawn = torch.from_numpy(seeds.rng().standard_normal(tuple(values.shape)))
    values.data += deviation * drawn.to(values)
