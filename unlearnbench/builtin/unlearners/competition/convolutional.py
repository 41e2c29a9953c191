"""What the methods share that are about convolutions: they have no meaning for a network without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import TargetModel
from unlearnbench.engine.gradients.layers import convolutions
from unlearnbench.engine.gradients.unlearner import GradientUnlearner

if TYPE_CHECKING:
    import torch

_NONE = "not defined: the method changes convolutions, and"


class Convolutional(GradientUnlearner):
    """A method that is not defined for networks without convolutions."""

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse models without a torch module, and those that say they have no convolutions."""
        if model.convolutional is False:
            return f"{_NONE} {type(model).__name__} has none"
        return super().refusal(model)


def some(layers: list[torch.nn.Conv2d]) -> list[torch.nn.Conv2d]:
    """Return the convolutions that a method changes; UserError where there are none."""
    if not layers:
        raise UserError(f"{_NONE} this network has none of the kind")
    return layers


def convolutions_of(module: torch.nn.Module) -> list[torch.nn.Conv2d]:
    """Return all convolutions of a network; UserError where there are none."""
    return some(convolutions(module))
