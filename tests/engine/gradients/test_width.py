"""A network is given a class more, and a class is taken from it."""

from __future__ import annotations

import pytest
import torch

from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.width import narrow, widen


@pytest.mark.parametrize("bias", [True, False])
def test_a_class_more_leaves_the_others_to_the_bit_and_a_class_fewer_restores_the_layer(bias: bool) -> None:
    layer = torch.nn.Linear(4, 3, bias)
    x, before = torch.randn(5, 4), {name: each.clone() for name, each in layer.state_dict().items()}
    answers = layer(x)
    state = torch.random.get_rng_state()
    widen(layer, 1)
    assert layer.out_features == 4
    assert layer(x).shape == (5, 4)
    assert all(torch.equal(each[:3], before[name]) for name, each in layer.state_dict().items())
    narrow(layer)
    assert layer.out_features == 3
    assert torch.equal(layer(x), answers)
    assert all(torch.equal(each, before[name]) for name, each in layer.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_new_weights_are_drawn_from_the_seed_as_torch_draws_them() -> None:
    drawn = []
    for seed in (1, 1, 2):
        layer = torch.nn.Linear(100, 3)
        widen(layer, seed)
        drawn.append(layer.weight[3].detach().clone())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert drawn[0].abs().max() <= 0.1  # uniform within one over the root of 100
    assert drawn[0].abs().max() > 0.08


@pytest.mark.parametrize(
    "block",
    [torch.nn.ReLU(), torch.nn.Conv2d(1, 2, 3), torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))],
    ids=str,
)
def test_a_network_that_does_not_end_in_a_linear_layer_is_refused(block: torch.nn.Module) -> None:
    with pytest.raises(UserError, match="needs a network that ends in a linear layer"):
        widen(block, 0)
