from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL, NETWORK, batch_of, weights
from unlearnbench.builtin.unlearners.competition.prmq import PRMQ, class_weighted_and_as_certain, prune, redraw_zeros
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.jobs import steps
from unlearnbench.engine.gradients.unlearner import has_module


def test_weights_and_biases_are_ranked_together() -> None:
    """In each tensor by itself another weight would stay."""
    tensors = [torch.tensor([[5.0, -4.0], [3.0, 0.5]]), torch.tensor([-2.0, 1.0]), torch.tensor([0.1])]
    prune(tensors, 0.6)
    assert [each.flatten().tolist() for each in tensors] == [[5, -4, 3, 0], [0, 0], [0]]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99, 1.0])
def test_the_share_is_rounded(share: float) -> None:
    values = [torch.arange(1.0, 72).reshape(71, 1)]
    prune(values, share)
    assert (values[0] == 0).sum() == round(share * 71)


def test_zeros_are_redrawn_within_one_over_the_root_of_fan_in_and_others_stay() -> None:
    weight = torch.zeros(500, 3, 2, 2)
    weight[0] = 7.0
    redraw_zeros(weight, SeedPath(1))
    drawn = weight[1:]
    assert (weight[0] == 7).all()
    assert drawn.abs().max() <= 12**-0.5
    assert drawn.std().item() == pytest.approx((1 / 36) ** 0.5, rel=0.05)


def test_weights_are_redrawn_and_biases_stay_zero() -> None:
    class Untrained(PRMQ):
        def finish(
            self, module: torch.nn.Module, snapshots: Sequence[torch.nn.Module], deletion: object
        ) -> torch.nn.Module:
            return module

    (after,) = CONVOLUTIONAL.unlearn(Untrained(learning_rate=0.0, share=1.0), [1])
    old, new = (has_module(each).module for each in (CONVOLUTIONAL.original().fitted, after))
    for (name, one), other in zip(old.named_parameters(), new.parameters(), strict=True):
        if name.startswith("3.1"):  # batch normalization is not pruned
            assert torch.equal(one, other)
        elif name.endswith("bias"):
            assert not other.any()
        else:
            assert (one != other).all()


def test_the_loss_is_the_weighted_cross_entropy_and_the_distance_of_entropies() -> None:
    logits, original, labels = [[2.0, 0, 0], [0, 0, 1.0]], [[0.3, 0.1, 0], [1.0, 2, 3]], [0, 1]
    batch = batch_of(logits, original, labels, forget=range(0, 60, 4))
    y, retained = batch._tables.y.tolist(), [i for i in range(60) if i % 4]
    counts = torch.tensor([sum(y[i] == c for i in retained) for c in range(3)])
    plain = torch.nn.functional.cross_entropy(batch.logits, torch.tensor(labels), weight=counts**-0.1)
    now, before = (torch.special.entr(torch.tensor(each).softmax(1)).sum(1) for each in (logits, original))
    expected = plain + torch.nn.functional.mse_loss(now, before)
    assert class_weighted_and_as_certain(batch).mean().item() == pytest.approx(expected.item(), rel=1e-5)


def test_of_the_last_epoch_a_part_is_run() -> None:
    method = PRMQ(batch_size=5)
    job = method._jobs([NETWORK.deletions(method, [range(10)])[0]])[0]
    found = [len(list(steps([job], number, pass_))) for number, pass_ in enumerate(job.stages[0].passes)]
    assert found == [10, 10, 10, 2]


def test_weights_and_buffers_are_rounded_to_sixteen_bits() -> None:
    (after,) = CONVOLUTIONAL.unlearn(PRMQ(), [1])
    for value in has_module(after).module.state_dict().values():
        if value.is_floating_point():
            assert value.dtype == torch.float32
            assert torch.equal(value, value.half().float())
    assert not np.array_equal(weights(after), weights(CONVOLUTIONAL.original().fitted))
