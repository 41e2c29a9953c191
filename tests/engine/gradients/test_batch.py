"""What a loss reads of a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import NETWORK, NoMethod, batch_of
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Tables

numbers = st.lists(st.floats(-8, 8, width=32), min_size=3, max_size=3)


@given(logits=numbers, target=numbers, temperature=st.floats(0.5, 5))
def test_the_divergence_is_torchs_and_not_negative(
    logits: list[float], target: list[float], temperature: float
) -> None:
    batch = batch_of([logits], [target], [0])
    found = batch.divergence(batch.original, temperature)
    p, q = (torch.tensor([each]).double().div(temperature).log_softmax(1) for each in (target, logits))
    expected = temperature**2 * torch.nn.functional.kl_div(q, p, reduction="sum", log_target=True)
    assert found.item() == pytest.approx(expected.item(), rel=1e-3, abs=1e-4)
    assert found.item() > -1e-4


@given(logits=numbers, target=numbers)
def test_a_probability_of_nothing_counts_nothing_and_has_a_finite_gradient(
    logits: list[float], target: list[float]
) -> None:
    batch = batch_of([logits], [target], [0])
    without = batch.original.clone()
    without[0, 1] = float("-inf")
    (slope,) = torch.autograd.grad(batch.divergence(without).sum(), batch.logits)
    torch.testing.assert_close(slope, batch.logits.detach().softmax(1) - without.softmax(1), atol=1e-5, rtol=1e-4)


def test_a_mean_is_that_of_each_network() -> None:
    jobs = [NoMethod()._jobs([deletion])[0] for deletion in NETWORK.deletions(NoMethod(), [[0, 3], [1]])]
    ids = np.array([[4, 5], [6, 7]])
    batch = Batch(torch.zeros(4, 3), ids, jobs, Tables(jobs), 0)
    values = torch.tensor([1.0, 3.0, 5.0, 9.0])
    assert batch.mean(values).tolist() == [2, 2, 7, 7]
    assert batch.by_network(values).tolist() == [[1, 3], [5, 9]]
    assert batch.retained.tolist() == [[18, 20, 20]] * 2 + [[20, 19, 20]] * 2


def draws(ids: list[int], number: int = 0, fixed: bool = False) -> list[float]:
    (deletion,) = NETWORK.deletions(NoMethod(), [[1]])
    job = NoMethod()._jobs([deletion])[0]
    values: list[float] = (
        Batch(torch.zeros(len(ids), 3), np.array([ids]), [job], Tables([job]), number).draws(fixed).tolist()
    )
    return values


def test_draws_belong_to_a_record_and_a_pass() -> None:
    assert draws([5, 6, 7]) == [draws([i])[0] for i in (5, 6, 7)]
    assert draws([5]) != draws([5], number=1)
    assert draws([5], fixed=True) == draws([5], number=1, fixed=True)


def noise(ids: list[int], number: int = 0, copy: int = 0) -> torch.Tensor:
    (deletion,) = NETWORK.deletions(NoMethod(), [[1]])
    job = NoMethod()._jobs([deletion])[0]
    return Batch(torch.zeros(len(ids), 3), np.array([ids]), [job], Tables([job]), number).noise(copy)


def test_noise_belongs_to_a_record_a_pass_and_a_copy_and_has_the_shape_of_the_inputs() -> None:
    assert noise([5, 6, 7]).shape == (3, 4)
    assert torch.equal(noise([5, 6, 7])[2], noise([7])[0])
    others = [noise([5]), noise([5], number=1), noise([5], copy=1), noise([6])]
    assert len({float(each[0, 0]) for each in others}) == 4


def test_noise_is_standard_normal() -> None:
    """Mean and variance of 24,000 draws, within four standard deviations."""
    drawn = torch.cat([noise([*range(60)], copy=copy) for copy in range(100)]).double()
    assert abs(float(drawn.mean())) < 4 / np.sqrt(drawn.numel())
    assert float(drawn.var()) == pytest.approx(1, abs=4 * np.sqrt(2 / drawn.numel()))


def test_a_batch_of_logits_alone_has_no_network_to_ask() -> None:
    batch = batch_of([[0.0] * 3], [[0.0] * 3], [0])
    with pytest.raises(ValueError, match="without a network"):
        batch.answer(batch.inputs)
    with pytest.raises(ValueError, match="without a network"):
        _ = batch.measured


def test_records_of_the_forget_set_are_known() -> None:
    assert batch_of([[0.0] * 3] * 3, [[0.0] * 3] * 3, [0, 1, 2], forget=[1]).forgotten.tolist() == [False, True, False]
