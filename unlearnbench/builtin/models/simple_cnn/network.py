"""The small convolutional network of Chen et al.: its layers, its first weights, its pass in training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from unlearnbench.core.seeding import keyed_bits
from unlearnbench.engine.mlp.layout import initial_layers

if TYPE_CHECKING:
    import torch

EDGES, MAPS, HIDDEN = 32, 64, 128
"""Maps of the first and of the second convolution, units of the hidden layer."""

SMALLEST = 6
"""The least height and width of an image, in pixels: each convolution removes two, pooling halves the rest."""

MAPS_LEFT_OUT, HIDDEN_LEFT_OUT = 0.25, 0.5
SHARES = np.repeat([MAPS_LEFT_OUT, HIDDEN_LEFT_OUT], [MAPS, HIDDEN])
"""The probability that dropout leaves out each map of the second convolution, and each hidden unit."""


def network(image: tuple[int, int, int], n_classes: int, seed: int) -> torch.nn.Sequential:
    """Return the network for images (height, width, channels), on the CPU.

    All weights are uniform in +-1/sqrt(fan-in), torch's own default, each layer by a seed of its own.
    """
    import torch
    from torch import nn
    from torch.nn.utils import skip_init

    height, width, channels = image
    pooled = MAPS * ((height - 4) // 2) * ((width - 4) // 2)
    layers = [
        skip_init(nn.Conv2d, channels, EDGES, 3),  # type: ignore[no-untyped-call]  # torch has no type for it
        skip_init(nn.Conv2d, EDGES, MAPS, 3),  # type: ignore[no-untyped-call]  # as above
        skip_init(nn.Linear, pooled, HIDDEN),  # type: ignore[no-untyped-call]  # as above
        skip_init(nn.Linear, HIDDEN, n_classes),  # type: ignore[no-untyped-call]  # as above
    ]
    with torch.no_grad():
        for level, layer in enumerate(layers):
            fan_out, *fan_in = layer.weight.shape
            ((weight, bias),) = initial_layers((math.prod(fan_in), fan_out), int(keyed_bits(seed, level)))
            layer.weight.copy_(torch.from_numpy(weight).reshape(layer.weight.shape))
            layer.bias.copy_(torch.from_numpy(bias))
    first, second, hidden, last = layers
    return nn.Sequential(
        first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), hidden, nn.ReLU(), last
    )  # fmt: skip


def logits_in_training(module: torch.nn.Module, x: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    """Return logits (n, classes) of images (n, channels, height, width) under dropout.

    ``scales`` (n, MAPS + HIDDEN) are the factors of dropout on the maps and the hidden units of each record.
    """
    conv1, relu1, conv2, relu2, pool, flatten, dense, relu3, last = module.children()
    maps = relu2(conv2(relu1(conv1(x)))) * scales[:, :MAPS, None, None]
    units = relu3(dense(flatten(with_gradient_in_its_layout(pool(maps))))) * scales[:, MAPS:]
    logits: torch.Tensor = last(units)
    return logits


def with_gradient_in_its_layout(maps: torch.Tensor) -> torch.Tensor:
    """Return maps (n, channels, height, width) as they are; where channels are last in memory, so are their gradient's.

    Behind them the layout of the gradient is that of flat rows, in which pooling takes five times as long for maps with
    channels last. Its numbers stay.
    """
    if maps.requires_grad and maps.stride(1) == 1:
        maps.register_hook(_with_channels_last)  # type: ignore[no-untyped-call]  # torch has no type for it
    return maps


def _with_channels_last(slopes: torch.Tensor) -> torch.Tensor:
    """Bring channels last by permutations, since vmap, which gradients of single records take, knows no layouts."""
    return slopes.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
