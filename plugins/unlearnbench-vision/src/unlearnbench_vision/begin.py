"""Where training begins: at first weights drawn by a seed, or at another model's."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from unlearnbench import Fitted, TrainingSet, UserError
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import training_table

from unlearnbench_vision.fitted import FittedNetwork
from unlearnbench_vision.images import images, is_small, pixels

if TYPE_CHECKING:
    import torch

Build = Callable[[int, bool], "torch.nn.Module"]
"""What makes a network, told the number of classes and whether images are small."""


def anew(kind: str, build: Build, data: TrainingSet, seed: int, device: str) -> FittedNetwork:
    """Return an untrained network for these records, channels standardized by the original's training set."""
    training_table(data)  # an error where no record is left
    grid = images(data.original.x, kind)
    module = seeded(lambda: build(data.n_classes, is_small(*grid.shape[1:3])), seed)
    return FittedNetwork(kind, module.to(device), Standardizer.of(pixels(grid)), device)


def onward(kind: str, start: Fitted, device: str) -> FittedNetwork:
    """Return a copy of a trained network of this kind; a UserError for anything else."""
    if not isinstance(start, FittedNetwork) or start.kind != kind:
        found = getattr(start, "kind", type(start).__name__)
        raise UserError(f"a {kind} can go on from a {kind} only, not from {found}")
    return replace(start, module=copy.deepcopy(start.module).to(device), device=device)


def seeded(build: Callable[[], torch.nn.Module], seed: int) -> torch.nn.Module:
    """Return the network that ``build`` makes with draws of torch's generator from ``seed``, which it gives back."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would move the generators of GPUs too
        return build()
