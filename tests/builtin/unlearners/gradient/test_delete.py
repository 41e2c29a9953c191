from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, batch_of, known
from unlearnbench.builtin.unlearners.gradient.delete import Delete, without_true_class


def test_the_loss_is_the_known_one() -> None:
    case = known("delete_loss")
    batch = batch_of(case["student"], case["original"], case["labels"], forget=[0, 1])
    assert without_true_class(batch).mean().item() == pytest.approx(case["kl_batchmean"])


def test_its_gradient_leads_to_the_known_targets() -> None:
    """The gradient of KL(p || softmax(z)) by z is softmax(z) - p."""
    case = known("delete_loss")
    batch = batch_of(case["student"], case["original"], case["labels"], forget=[0, 1])
    (slope,) = torch.autograd.grad(without_true_class(batch).sum(), batch.logits)
    np.testing.assert_allclose((batch.logits.softmax(1) - slope).detach(), case["targets"], atol=1e-6)


def test_of_two_classes_the_other_one_is_learned() -> None:
    batch = batch_of([[0.5, 0.1]], [[3.0, -1.0]], [0], forget=[0])
    assert without_true_class(batch).item() == pytest.approx(-np.log(np.exp(0.1) / (np.exp(0.5) + np.exp(0.1))))


def test_the_true_class_is_forgotten() -> None:
    (after,) = NETWORK.unlearn(Delete(epochs=50, learning_rate=0.05), range(6))
    x, y = NETWORK.records.x[:6], NETWORK.records.y[:6]
    before = NETWORK.original().fitted.log_posteriors(x)
    assert after.log_posteriors(x)[range(6), y].mean() < before[range(6), y].mean() - 1
