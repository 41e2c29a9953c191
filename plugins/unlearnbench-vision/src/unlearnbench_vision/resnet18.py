"""ResNet-18."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unlearnbench_vision.network import Network
from unlearnbench_vision.stems import keep_size_in_resnet

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ResNet18(Network):
    """A residual network of 18 layers, torchvision's, trained from scratch on images of 1 or 3 channels.

    Images below 64 pixels meet a stem of one 3 x 3 convolution without pooling, as is customary for CIFAR; those
    below 16 are enlarged to 16 first, bilinearly. Grey images are repeated in three channels. Each channel is
    standardized by the original's training set.

    ``init`` seeds the weights, ``order`` the batches, which are those of the MLP: with ``slot`` the deleted record
    leaves its place empty, with ``compact`` later records close up. Batch normalization makes records look at each
    other: a deletion moves the mean and variance that its batch-mates of each epoch are normalized by, so their
    gradients too, and the running statistics that the model answers with. There is no dropout.

    Training goes on from ``task.start``, its running statistics included, with a new optimizer. Bitwise repeatable on
    a CPU at a fixed number of threads; on a GPU that is untested. UserError where weights overflow.

    Source: He et al., CVPR 2016, table 1.
    """

    def build(self, n_classes: int, small: bool) -> torch.nn.Module:
        """Return the untrained network."""
        from torchvision.models import resnet18

        module: torch.nn.Module = resnet18(weights=None, num_classes=n_classes)
        if small:
            keep_size_in_resnet(module)
        return module
