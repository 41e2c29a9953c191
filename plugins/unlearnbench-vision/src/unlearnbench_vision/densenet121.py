"""DenseNet-121."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearnbench_vision.network import Network
from unlearnbench_vision.stems import keep_size_in_densenet

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DenseNet121(Network):
    """A densely connected network of 121 layers, torchvision's with drop rate 0, trained from scratch.

    Images, seeds, batch normalization and all else are as with resnet18; a training takes about twice as long.

    Source: Huang et al., CVPR 2017, table 1.
    """

    def build(self, n_classes: int, small: bool) -> torch.nn.Module:
        """Return the untrained network."""
        from torchvision.models import densenet121

        module: torch.nn.Module = densenet121(weights=None, num_classes=n_classes, drop_rate=0.0)
        if small:
            keep_size_in_densenet(module)
        return module

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the stem's, dense and transition layers, and the classifier."""
        features, classifier = module.children()
        return [part for part in (*features.children(), classifier) if part.state_dict()]
