"""CT: transposed kernels, then fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import NonNegativeFloat, NonNegativeInt

from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional, some
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.engine.gradients.layers import convolutions
from unlearnbench.engine.gradients.passes import cosine
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CT(Convolutional, Finetune):
    """Swap height and width of every kernel of a convolution, then fine-tune on the retain set by SGD.

    The learning rate falls by half a cosine from epoch to epoch. Kernels that are not square stay, as they fit no other
    way. Batch normalization: in training mode. Source: fifth place of the NeurIPS 2023 competition, in the code of
    Cadet et al. 2024, arXiv 2410.01276; values too.
    """

    epochs: NonNegativeInt = 3
    learning_rate: NonNegativeFloat = 1e-3

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Transpose the kernels."""
        for layer in some([each for each in convolutions(module) if _turns(each)]):
            layer.weight.data = layer.weight.mT.detach().contiguous()

    def rate(self, epoch: int) -> float:
        """Return the factor of an epoch's learning rate."""
        return cosine(epoch / self.epochs)


def _turns(layer: torch.nn.Conv2d) -> bool:
    height, width = layer.kernel_size
    return height == width > 1
