"""What the networks share: which records are images, and how they go in."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from unlearnbench import TorchModel

from unlearnbench_vision.images import enlarged, images, is_small

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Network(TorchModel):
    """A network for images of 1 or 3 channels. Subclasses add ``build``."""

    @abstractmethod
    def build(self, n_classes: int, small: bool) -> torch.nn.Module:
        """Return an untrained network for images of 3 channels; ``small``: with a stem that keeps their size."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> torch.nn.Module:
        """Return an untrained network for images of this shape, drawn from torch's own generator."""
        return self.build(n_classes, is_small(*shape[:2]))

    def features(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return records as images (n, height, width, channels)."""
        return images(x, type(self).__name__.lower())

    def tensor(self, scaled: torch.Tensor) -> torch.Tensor:
        """Return images as the network takes them: (n, 3, height, width), enlarged if small."""
        import torch

        maps = scaled.permute(0, 3, 1, 2)
        size = enlarged(*maps.shape[2:])
        if size != tuple(maps.shape[2:]):
            maps = torch.nn.functional.interpolate(maps, size, mode="bilinear")
        return maps.expand(-1, 3, -1, -1).contiguous()
