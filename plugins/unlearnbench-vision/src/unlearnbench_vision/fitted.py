"""What training a network of torchvision gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from unlearnbench import log_softmax
from unlearnbench.engine.scaling import Standardizer

from unlearnbench_vision.images import enlarged, images, pixels

if TYPE_CHECKING:
    import torch

PIXELS = 64 * 32 * 32  # that go through the network together: the widest maps, of 256 channels, take some 70 MB


@dataclass(frozen=True, eq=False)
class FittedNetwork:
    """A trained network of the model ``kind``. ``module`` maps images (n, 3, height, width), see ``inputs``, to logits.

    It answers with running statistics, each record by itself. ``standardizer`` has one mean and one deviation for
    each channel.
    """

    kind: str
    module: torch.nn.Module
    standardizer: Standardizer
    device: str

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them: scaled in float64, enlarged if small, in three channels."""
        import torch

        grid = images(x, self.kind)
        scaled = self.standardizer(pixels(grid)).reshape(grid.shape).astype(np.float32)
        maps = torch.from_numpy(scaled).to(self.device).permute(0, 3, 1, 2)
        size = enlarged(*grid.shape[1:3])
        if size != grid.shape[1:3]:
            maps = torch.nn.functional.interpolate(maps, size, mode="bilinear")
        return maps.expand(-1, 3, -1, -1).contiguous()

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits, whatever it was trained in."""
        import torch

        inputs = self.inputs(x)
        block = max(1, PIXELS // (inputs.shape[2] * inputs.shape[3]))
        with torch.no_grad():
            logits = [self.module(part) for part in torch.split(inputs, block)]  # of no record, one part of none
            return log_softmax(torch.cat(logits).cpu().numpy())
