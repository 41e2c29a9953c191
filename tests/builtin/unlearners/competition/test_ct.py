from __future__ import annotations

import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL
from unlearnbench.builtin.unlearners.competition.ct import CT
from unlearnbench.core.errors import UserError
from unlearnbench.engine.gradients.layers import convolutions
from unlearnbench.engine.gradients.unlearner import has_module

(DELETION,) = CONVOLUTIONAL.deletions(CT(), [[1]])


def edited(module: torch.nn.Module, times: int = 1) -> torch.nn.Module:
    for _ in range(times):
        CT().edit(module, DELETION)
    return module


def test_height_and_width_of_each_kernel_are_swapped() -> None:
    """A rotation by a quarter would reverse one of the axes too."""
    layer = torch.nn.Conv2d(1, 1, 2)
    layer.weight.data = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    edited(torch.nn.Sequential(layer))
    assert layer.weight.tolist() == [[[[1, 3], [2, 4]]]]


def test_twice_is_nothing() -> None:
    layer = torch.nn.Conv2d(3, 5, 3)
    before = layer.weight.detach().clone()
    edited(torch.nn.Sequential(layer))
    assert not torch.equal(layer.weight, before)
    assert torch.equal(edited(torch.nn.Sequential(layer))[0].weight, before)  # type: ignore[index]  # a sequence


def test_kernels_of_one_pixel_symmetric_ones_and_those_that_are_not_square_stay() -> None:
    pixel, symmetric, flat = torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(4, 4, 3), torch.nn.Conv2d(4, 4, (1, 3))
    symmetric.weight.data += symmetric.weight.data.mT.clone()
    before = [layer.weight.detach().clone() for layer in (pixel, symmetric, flat)]
    edited(torch.nn.Sequential(pixel, symmetric, flat))
    assert all(map(torch.equal, before, (pixel.weight, symmetric.weight, flat.weight)))


@pytest.mark.parametrize("kernel", [1, (1, 3)])
def test_where_no_kernel_can_be_swapped_it_is_not_defined(kernel: int | tuple[int, int]) -> None:
    """It would be fine-tuning under another name."""
    with pytest.raises(UserError, match="not defined"):
        edited(torch.nn.Sequential(torch.nn.Conv2d(3, 4, kernel)))


def test_then_the_network_is_fine_tuned_at_a_falling_rate() -> None:
    (stage,) = CT().stages(CONVOLUTIONAL.original())
    assert [pass_.rate for pass_ in stage.passes] == pytest.approx([1, 0.75, 0.25])
    assert [(term.over, term.weight) for pass_ in stage.passes for term in pass_.terms] == [("retain", 1)] * 3


def test_at_a_learning_rate_of_zero_only_kernels_are_other_ones() -> None:
    (after,) = CONVOLUTIONAL.unlearn(CT(learning_rate=0.0), [1])
    old, new = (has_module(each).module for each in (CONVOLUTIONAL.original().fitted, after))
    kernels = {id(layer.weight) for layer in convolutions(old)[:1]}
    for one, other in zip(old.parameters(), new.parameters(), strict=True):
        assert torch.equal(one.mT if id(one) in kernels else one, other)
