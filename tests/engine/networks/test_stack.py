from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unlearnbench.core.records import Provenance, Records
from unlearnbench.engine.mlp.layout import initial_layers
from unlearnbench.engine.networks.stack import logits, loss, stack_size, train_stacked
from unlearnbench.engine.networks.stacked_jobs import StackedJob, StackedJobs

RECORDS = Records("made up", np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 3, 3, Provenance("", ""))


def job(widths: tuple[int, ...] = (4, 5, 3), seed: int = 0, sizes: tuple[int, ...] = (8, 8, 4)) -> StackedJob:
    cuts = np.split(np.arange(sum(sizes)) + seed, np.cumsum(sizes)[:-1])
    return StackedJob(initial_layers(widths, seed), RECORDS, np.asarray, lambda epoch: cuts, seed)


def sgd(parameters: list[Any]) -> Any:
    import torch

    return torch.optim.SGD(parameters, lr=0.1)


def plain(each: StackedJob, epochs: int) -> list[np.ndarray]:
    """Train one network with nothing but torch's own layers."""
    import torch

    tensors = [[torch.tensor(part, requires_grad=True) for part in layer] for layer in each.start]
    flat = [part for layer in tensors for part in layer]
    for epoch in range(epochs):
        for ids in each.batches(epoch):
            x = torch.from_numpy(RECORDS.x[ids].astype(np.float32))
            for level, (weight, bias) in enumerate(tensors):
                x = torch.nn.functional.linear(x if level == 0 else x.relu(), weight, bias)
            wrong = torch.nn.functional.cross_entropy(x, torch.from_numpy(RECORDS.y[ids]))
            for part, slope in zip(flat, torch.autograd.grad(wrong, flat), strict=True):
                part.data -= 0.1 * slope
    return [part.detach().numpy() for part in flat]


def test_networks_of_several_widths_and_batches_come_out_as_each_by_itself() -> None:
    jobs = [job(), job(seed=3), job((4, 3)), job(sizes=(8, 3)), job(seed=1), job((4, 7, 2, 3))]
    for each, layers in zip(jobs, train_stacked(jobs, 2, 0.0, sgd, "cpu"), strict=True):
        for found, expected in zip([part for layer in layers for part in layer], plain(each, 2), strict=True):
            np.testing.assert_allclose(found, expected, atol=2e-6)


def test_the_size_of_a_stack_depends_on_the_network_and_the_device() -> None:
    small, large = initial_layers((14, 32, 2), 0), initial_layers((14, 256, 128, 64, 32, 2), 0)
    assert stack_size(large, "cpu") == 16
    assert stack_size(large, "cpu") < stack_size(small, "cpu") < stack_size(small, "cuda")
    assert stack_size(small, "cuda") % 16 == 0


def test_padding_in_a_batch_has_no_weight() -> None:
    first, second, last = StackedJobs([job(), job(seed=2, sizes=(8, 8, 1))], 8, 0.0, "cpu").batches(0)
    assert first.x.shape == (2, 8, 4)
    assert second.scales is None
    np.testing.assert_allclose(last.weight.sum(dim=1), 1)
    assert (last.weight > 0).sum(dim=1).tolist() == [4, 1]


def test_networks_with_one_seed_drop_the_same_units_and_others_do_not() -> None:
    pair = [job(seed=1), job(seed=1), job(seed=2)]
    scales = next(iter(StackedJobs(pair, 8, 0.5, "cpu").batches(0))).scales
    assert scales is not None
    assert set(np.unique(scales)) == {0, 2}
    assert (scales[0] == scales[1]).all()
    assert not (scales[0, 1:] == scales[2, :-1]).all()  # the same records, shifted by one


@pytest.mark.parametrize("scaled", [False, True])
def test_logits_and_loss_of_a_stack_are_those_of_each_network(scaled: bool) -> None:
    import torch

    torch.manual_seed(0)
    stack = [(torch.rand(3, 4, 5), torch.rand(3, 1, 5)), (torch.rand(3, 5, 2), torch.rand(3, 1, 2))]
    x, y = torch.rand(3, 6, 4), torch.randint(2, (3, 6))
    scales = torch.rand(3, 6, 5) if scaled else None
    expected = []
    for k in range(3):
        hidden = (x[k] @ stack[0][0][k] + stack[0][1][k]).relu() * (1 if scales is None else scales[k])
        expected.append(hidden @ stack[1][0][k] + stack[1][1][k])
    found = logits(stack, x, scales)
    torch.testing.assert_close(found, torch.stack(expected))
    means = sum(torch.nn.functional.cross_entropy(each, y[k]) for k, each in enumerate(expected))
    torch.testing.assert_close(loss(found, y, torch.full((3, 6), 1 / 6)), means)
