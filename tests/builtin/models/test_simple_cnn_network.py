from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unlearnbench.builtin.models.simple_cnn.network import (
    HIDDEN,
    MAPS,
    logits_in_training,
    network,
    with_gradient_in_its_layout,
)


@pytest.mark.parametrize(("image", "flat"), [((28, 28, 1), 9216), ((32, 32, 3), 12544), ((6, 9, 2), 128)])
def test_the_layers_are_those_of_the_paper_s_code_whatever_the_images(image: tuple[int, int, int], flat: int) -> None:
    import torch

    module = network(image, 10, seed=1)
    height, width, channels = image
    assert module(torch.zeros(2, channels, height, width)).shape == (2, 10)
    shapes = [tuple(parameter.shape) for parameter in module.parameters() if parameter.ndim > 1]
    assert shapes == [(32, channels, 3, 3), (64, 32, 3, 3), (128, flat), (10, 128)]


def pictures(*shape: int) -> Any:
    """Return the same random images each time."""
    import torch

    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_initial_weights_are_uniform_in_one_over_root_fan_in_each_layer_by_its_own_draws() -> None:
    tensors = [parameter.detach().numpy() for parameter in network((8, 8, 3), 10, seed=1).parameters()]
    for weight, bias in zip(tensors[::2], tensors[1::2], strict=True):
        bound = weight[0].size ** -0.5
        assert max(np.abs(weight).max(), np.abs(bias).max()) <= bound
        np.testing.assert_allclose(weight.std(), bound / 3**0.5, rtol=0.1)
    again, other = (next(network((8, 8, 3), 10, seed=seed).parameters()).detach().numpy() for seed in (1, 2))
    assert np.array_equal(tensors[0], again)
    assert not np.array_equal(tensors[0], other)


def test_without_dropout_the_pass_in_training_is_the_network_itself() -> None:
    import torch

    module, x = network((8, 7, 1), 3, seed=1), pictures(5, 1, 8, 7)
    assert torch.equal(logits_in_training(module, x, torch.ones(5, MAPS + HIDDEN)), module(x))


@pytest.mark.parametrize("layout", ["channels_last", "contiguous_format"])
def test_its_gradients_are_those_of_the_network_to_the_bit(layout: str) -> None:
    import torch

    module, x = network((8, 8, 3), 3, seed=1), pictures(5, 3, 8, 8)
    module.to(memory_format=getattr(torch, layout))
    x = x.contiguous(memory_format=getattr(torch, layout))
    ones, weights = torch.ones(5, MAPS + HIDDEN), list(module.parameters())
    found, wanted = (
        torch.autograd.grad(each.sum(), weights) for each in (logits_in_training(module, x, ones), module(x))
    )
    assert all(map(torch.equal, found, wanted))


@pytest.mark.parametrize("layout", ["channels_last", "contiguous_format"])
def test_the_gradient_of_pooled_maps_has_their_layout_and_not_that_of_flat_rows(layout: str) -> None:
    import torch

    own = torch.rand(2, 3, 4, 4).contiguous(memory_format=getattr(torch, layout)).requires_grad_()
    maps, factors = with_gradient_in_its_layout(own * 1), torch.rand(2, 48)
    came: list[torch.Tensor] = []
    maps.register_hook(came.append)  # type: ignore[no-untyped-call]  # torch has no type for it
    (maps.flatten(1) * factors).sum().backward()  # type: ignore[no-untyped-call]  # as above
    (gradient,) = came
    assert gradient.stride() == maps.stride()
    assert torch.equal(gradient.flatten(1), factors)


def test_what_is_left_out_has_no_say_and_no_gradient() -> None:
    import torch

    module, x = network((8, 8, 1), 3, seed=1), pictures(5, 1, 8, 8)
    scales = torch.ones(5, MAPS + HIDDEN)
    scales[:, [4, MAPS + 9]] = 0
    weights = module[2].get_parameter("weight"), module[6].get_parameter("weight")
    convolution, hidden = torch.autograd.grad(logits_in_training(module, x, scales).sum(), weights)
    assert not convolution[4].any()
    assert convolution[5:].any()
    assert not hidden[9].any()
    assert hidden[10:].any()


def test_every_record_loses_units_of_its_own() -> None:
    import torch

    module, x = network((8, 8, 1), 3, seed=1), pictures(1, 1, 8, 8).expand(2, -1, -1, -1)
    scales = torch.ones(2, MAPS + HIDDEN)
    scales[1, 10] = 0
    kept, dropped = logits_in_training(module, x, scales)
    torch.testing.assert_close(kept, module(x)[0])
    assert not torch.allclose(kept, dropped)
