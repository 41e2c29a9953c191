"""Weights drawn anew, as those of a network that was never trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearnbench.core.errors import UserError
from unlearnbench.engine.networks.torch_model import seeded

if TYPE_CHECKING:
    import torch


def initialize(module: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Draw all weights of ``module`` anew, in place, each layer as torch does, and clear running statistics.

    They are drawn on the CPU, so that they are the same on each device: generators of other devices are not seeded.
    UserError where a parameter is of a layer that cannot be drawn anew: one without ``reset_parameters``.
    """
    devices = {parameter.device for parameter in module.parameters()}
    drawn = seeded(lambda: _draw(module.cpu()), seed)
    return drawn.to(devices.pop()) if devices else drawn


def _draw(module: torch.nn.Module) -> torch.nn.Module:
    for layer in module.modules():
        if callable(reset := getattr(layer, "reset_parameters", None)):
            reset()
        elif list(layer.parameters(recurse=False)):
            raise UserError(f"{type(layer).__name__} has weights and no reset_parameters to draw them anew")
    return module
