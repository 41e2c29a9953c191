from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL, known, weights
from unlearnbench.builtin.unlearners.competition.msg import MSG, factors, he_normal, reinitialized, sample
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.layers import convolutions, smallest
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(8)
(DELETION,) = CONVOLUTIONAL.deletions(MSG(), [FORGET])


def gradient(ids: np.ndarray) -> list[torch.Tensor]:
    """Return the gradient of the mean cross-entropy by the weights of each convolution."""
    fitted, records = has_module(DELETION.fitted), CONVOLUTIONAL.records
    loss = torch.nn.functional.cross_entropy(
        fitted.module(fitted.inputs(records.x[ids])), torch.from_numpy(records.y[ids])
    )
    return list(torch.autograd.grad(loss, [layer.weight for layer in convolutions(fitted.module)]))


def test_the_smallest_gradients_are_drawn_anew() -> None:
    case = known("msg")
    chosen = reinitialized(torch.tensor(case["gradient"]), case["share"])
    assert chosen.nonzero().flatten().tolist() == case["reinitialised"]


def test_what_is_not_drawn_anew_is_slowed() -> None:
    case = known("msg")
    changed = torch.zeros(10, dtype=torch.bool)
    changed[case["reinitialised"]] = True
    assert factors(changed, 0.1).tolist() == pytest.approx(case["gradient_multiplier"])


def test_the_gradient_is_that_of_the_retain_set_less_that_of_the_forget_set() -> None:
    down, up = gradient(sample(DELETION).kept_ids), gradient(np.array(FORGET))
    found = list(MSG()._chosen(DELETION))
    expected = [reinitialized(one - other, 0.3) for one, other in zip(down, up, strict=True)]
    added = [reinitialized(one + other, 0.3) for one, other in zip(down, up, strict=True)]
    assert all(map(torch.equal, found, expected))
    assert not all(map(torch.equal, found, added))


def test_weights_are_ranked_in_each_convolution_by_itself() -> None:
    differences = [r - f for r, f in zip(gradient(sample(DELETION).kept_ids), gradient(np.array(FORGET)), strict=True)]
    found = list(MSG()._chosen(DELETION))
    assert [int(each.sum()) for each in found] == [round(0.3 * 27), round(0.3 * 12)]
    together = smallest([each.abs() for each in differences], sum(int(each.sum()) for each in found))
    assert [int(each.sum()) for each in together] != [int(each.sum()) for each in found]


def test_the_retain_set_is_sampled_to_the_size_of_the_forget_set() -> None:
    ids = sample(DELETION).kept_ids
    assert len(set(ids)) == len(FORGET)
    assert set(ids) <= set(range(8, 60))


def test_new_weights_are_hes_by_fan_out() -> None:
    drawn = he_normal((64, 32, 3, 3), SeedPath(1))
    assert drawn.var().item() == pytest.approx(2 / (64 * 9), rel=0.05)


def test_at_a_learning_rate_of_zero_the_chosen_weights_alone_are_other_ones() -> None:
    (after,) = CONVOLUTIONAL.unlearn(MSG(learning_rate=0.0), FORGET)
    old, new = (has_module(each).module for each in (CONVOLUTIONAL.original().fitted, after))
    for layer, other, chosen in zip(convolutions(old), convolutions(new), MSG()._chosen(DELETION), strict=True):
        assert torch.equal(layer.weight != other.weight, chosen)
    assert torch.equal(old[-1].weight, new[-1].weight)  # type: ignore[index]  # a sequence


@dataclass(frozen=True)
class Free(MSG):
    """The method without its mask."""

    def mask(self, module: object, deletion: object) -> None:  # type: ignore[override]  # none
        return None


def test_one_step_moves_old_weights_of_convolutions_a_tenth_as_far() -> None:
    params = {"epochs": 1, "batch_size": 100, "learning_rate": 0.1, "weight_decay": 0.0}
    start, masked, free = (
        weights(CONVOLUTIONAL.unlearn(method, FORGET)[0])
        for method in (MSG(**{**params, "learning_rate": 0.0}), MSG(**params), Free(**params))  # type: ignore[arg-type]  # of two types
    )
    kept = np.flatnonzero(~next(iter(MSG()._chosen(DELETION))).flatten().numpy())
    new = np.setdiff1d(np.arange(27), kept)
    np.testing.assert_allclose((masked - start)[kept], 0.1 * (free - start)[kept], atol=1e-6)
    np.testing.assert_allclose(masked[new], free[new], atol=1e-6)
    np.testing.assert_allclose(masked[-51:], free[-51:], atol=1e-6)  # the linear layer's


def test_the_learning_rate_rises_to_the_middle_and_falls() -> None:
    assert [MSG().rate(epoch) for epoch in range(5)] == pytest.approx([1 / 3, 2 / 3, 1, 2 / 3, 1 / 3])
    assert [MSG(epochs=1).rate(0)] == [1]
