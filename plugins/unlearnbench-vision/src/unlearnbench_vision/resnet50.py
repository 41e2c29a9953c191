"""ResNet-50."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearnbench_vision.network import Network
from unlearnbench_vision.stems import keep_size_in_resnet

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ResNet50(Network):
    """A residual network of 50 layers in bottlenecks, torchvision's, trained from scratch.

    Images, seeds, batch normalization and all else are as with resnet18; a training takes two to three times as long.

    Source: He et al., CVPR 2016, table 1; torchvision steps by two in the 3 x 3 convolution of a bottleneck.
    """

    def build(self, n_classes: int, small: bool) -> torch.nn.Module:
        """Return the untrained network."""
        from torchvision.models import resnet50

        module: torch.nn.Module = resnet50(weights=None, num_classes=n_classes)
        if small:
            keep_size_in_resnet(module)
        return module
