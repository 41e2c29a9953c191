from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, Case, NoMethod, weights
from unlearnbench.builtin.unlearners.gradient.jit import JiT, slope, within
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Tables
from unlearnbench.engine.gradients.networks import OneNetwork
from unlearnbench.engine.gradients.stack import Stack
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(5)


def batch(ids: list[int], case: Case = NETWORK) -> Batch:
    (deletion,) = case.deletions(NoMethod(), [[1]])
    network = OneNetwork(replace(NoMethod()._jobs([deletion])[0], training=False))
    own = np.array([ids])
    return Batch(network.logits(own, 0), own, network.jobs, network.tables, 0, network)


def test_a_step_is_against_the_gradient_of_the_formula_through_the_record_alone() -> None:
    """The sum over records of the mean over copies, where the network's answers to copies are fixed."""
    method = JiT(copies=3, sigma=0.4, learning_rate=0.1)
    (deletion,) = NETWORK.deletions(method, [FORGET])
    fitted = has_module(deletion.fitted)
    module = copy.deepcopy(fitted.module)
    x = fitted.inputs(NETWORK.records.x[:5])
    job = method._jobs([deletion])[0]
    own = Batch(torch.zeros(5, 3), np.arange(5)[None], [job], Tables([job]), 0)
    losses = []
    for number in range(3):
        near = (x + 0.4 * own.noise(number)).clamp(x.min(), x.max())
        answers = module(near).detach()
        losses.append((module(x) - answers).norm(dim=1) / (x - near).norm(dim=1))
    torch.stack(losses).mean(dim=0).sum().backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    slopes = np.concatenate([each.grad.numpy().ravel() for each in module.parameters() if each.grad is not None])
    moved = weights(method.unlearn(deletion)) - weights(fitted)
    np.testing.assert_allclose(moved, -0.1 * slopes, atol=1e-6)
    assert np.abs(moved + 0.1 * slopes / 5).max() > 1e-3  # the mean over records is another rule


def test_a_constant_network_has_no_loss_and_stays() -> None:
    (deletion,) = LINEAR.deletions(JiT(), [FORGET])
    constant = copy.deepcopy(has_module(deletion.fitted).module)
    for parameter in constant.parameters():
        parameter.data.zero_()
    still = replace(deletion, fitted=has_module(deletion.fitted).with_module(constant))
    assert JiT().unlearn(still) is still.fitted


def test_a_copy_that_is_the_record_itself_counts_nothing() -> None:
    """Of one record whose features are all equal, clipping leaves no other."""
    same = replace(NETWORK.records, x=np.zeros_like(NETWORK.records.x))
    own = batch([1], Case(NETWORK.model, same))
    found = slope(own, own.noise())
    assert found.tolist() == [0.0]
    (gradient,) = torch.autograd.grad(found.sum(), own.logits)
    assert gradient.eq(0).all()


def test_a_copy_stays_within_the_numbers_of_its_batch() -> None:
    own = batch([3, 4, 5])
    low, high = within(own)
    assert low.shape == high.shape == (3, 1)
    assert low.eq(own.inputs.min()).all()
    assert high.eq(own.inputs.max()).all()


def test_in_a_stack_the_bounds_of_a_copy_are_those_of_its_own_network() -> None:
    jobs = [replace(NoMethod()._jobs([each])[0], training=False) for each in NETWORK.deletions(NoMethod(), [[1], [2]])]
    ids = np.array([[3, 4], [5, 6]])
    stack = Stack(jobs)
    own = Batch(torch.zeros(4, 3), ids, jobs, stack.tables, 0, stack)
    low, _ = within(own)
    assert low.ravel().tolist() == [own.inputs[:2].min()] * 2 + [own.inputs[2:].min()] * 2


def test_neither_labels_nor_other_records_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batch, "labels", property(lambda _: pytest.fail("labels are read")))
    assert JiT.sees == ("forget-set",)
    assert len(NETWORK.unlearn(JiT(), FORGET)) == 1
