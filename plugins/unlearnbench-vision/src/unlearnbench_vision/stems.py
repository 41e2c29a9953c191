"""The first layers for small images: torchvision's divide an image's sides by 4, these keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import torch


def keep_size_in_resnet(resnet: Any) -> None:
    """Put a convolution of 3 x 3 in the place of the first convolution and of pooling.

    Source: He et al., CVPR 2016, section 4.2: the networks for CIFAR-10.
    """
    from torch import nn

    resnet.conv1, resnet.maxpool = _convolution("fan_out"), nn.Identity()


def keep_size_in_densenet(densenet: Any) -> None:
    """Put a convolution of 3 x 3 in the place of the first convolution and of pooling.

    Source: Huang et al., CVPR 2017, section 3: the networks for CIFAR.
    """
    from torch import nn

    densenet.features.conv0, densenet.features.pool0 = _convolution("fan_in"), nn.Identity()


def _convolution(mode: Literal["fan_in", "fan_out"]) -> torch.nn.Conv2d:
    """Return an untrained convolution; its weights are He's normal ones, by the mode of the network's other ones."""
    from torch import nn

    convolution = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode=mode, nonlinearity="relu")
    return convolution
