"""Trained convolutional networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.models.simple_cnn.network import SHARES, SMALLEST, logits_in_training
from unlearnbench.core.errors import UserError
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.engine.networks.modules import children_with_state
from unlearnbench.engine.networks.training import unit_scales
from unlearnbench.engine.scaling import Standardizer

if TYPE_CHECKING:
    import torch

BLOCK = 256  # images that go through the network together: their maps take some 60 MB


def images(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return records as images (n, height, width, channels); UserError where they are not images, or too small."""
    if x.ndim not in (3, 4):
        raise UserError(
            "simple-cnn needs images: records of shape (height, width) or (height, width, channels), "
            f"not {x.shape[1:]}; for such features take mlp"
        )
    if min(x.shape[1:3]) < SMALLEST:
        raise UserError(f"simple-cnn needs images of {SMALLEST} x {SMALLEST} pixels at least, not {x.shape[1:3]}")
    return x if x.ndim == 4 else x[..., np.newaxis]


def pixels(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return all pixels of records as rows (n * height * width, channels): what a channel's scale is taken from."""
    grid = images(x)
    return grid.reshape(-1, grid.shape[3])


@dataclass(frozen=True, eq=False)
class FittedCNN:
    """A trained network; a :class:`unlearnbench.HasModule`."""

    module: torch.nn.Module
    """Maps images (n, channels, height, width), see ``inputs``, to logits (n, n_classes)."""
    standardizer: Standardizer
    """What scales the pixels: one mean and one deviation for each channel."""
    device: str
    """Where ``module`` is."""

    def inputs(self, x: NDArray[np.float64]) -> torch.Tensor:
        """Return records (n, ...) as ``module`` takes them, channels last in memory; scaled in float64, then rounded.

        They come on the model's device.
        """
        import torch

        scaled = self.standardizer(pixels(x)).reshape(images(x).shape).astype(np.float32)
        return torch.from_numpy(scaled).to(self.device).permute(0, 3, 1, 2)

    def log_posteriors(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return float64 log-posteriors (n, n_classes) of the network's float32 logits, whatever it was trained in."""
        import torch

        with torch.no_grad():
            # No records are one empty block, so that the answer has its columns.
            blocks = torch.split(self.inputs(x).contiguous(), BLOCK)
            return log_softmax(torch.cat([self.module(block) for block in blocks]).cpu().numpy())

    def training_logits(
        self, module: torch.nn.Module, inputs: torch.Tensor, ids: NDArray[np.int64], seed: int, epoch: int
    ) -> torch.Tensor:
        """Return the logits that the network was trained on, under dropout."""
        import torch

        scales = torch.from_numpy(unit_scales(seed, epoch, ids, SHARES)).to(self.device)
        return logits_in_training(module, inputs, scales)

    def blocks(self, module: torch.nn.Module) -> list[torch.nn.Module]:
        """Return the two convolutions and the two linear layers."""
        return children_with_state(module)

    def with_module(self, module: torch.nn.Module) -> FittedCNN:
        """Return a model of another network behind the same scaler."""
        return FittedCNN(module, self.standardizer, self.device)
