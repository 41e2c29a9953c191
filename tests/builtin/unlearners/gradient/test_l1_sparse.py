from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, weights
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.l1_sparse import L1Sparse

FORGET = range(5)


def test_without_a_penalty_it_is_fine_tuning_to_the_bit() -> None:
    (sparse,), (plain,) = NETWORK.unlearn(L1Sparse(alpha=0.0), FORGET), NETWORK.unlearn(Finetune(), FORGET)
    assert np.array_equal(weights(sparse), weights(plain))


def test_one_step_differs_from_fine_tuning_by_the_sign_of_each_weight() -> None:
    method = L1Sparse(epochs=1, batch_size=100, learning_rate=0.1, alpha=0.01)
    (sparse,), (plain,) = NETWORK.unlearn(method, FORGET), NETWORK.unlearn(Finetune(1, 0.1, 100), FORGET)
    signs = np.sign(weights(NETWORK.original().fitted))
    np.testing.assert_allclose(weights(sparse) - weights(plain), -0.1 * 0.01 * signs, atol=1e-7)


def test_the_penalty_falls_in_a_line_to_nothing() -> None:
    method = L1Sparse(epochs=6, alpha=0.4, plain_epochs=2)
    assert [method.factor(t) for t in range(6)] == pytest.approx([0.4, 0.3, 0.2, 0.1, 0, 0])
    (stage,) = method.stages(NETWORK.original())
    assert [pass_.penalty is None for pass_ in stage.passes] == [False] * 4 + [True] * 2


def test_a_weight_of_zero_is_not_pulled() -> None:
    penalty = L1Sparse(alpha=0.5)._penalty(0)
    assert penalty is not None
    assert penalty(torch.tensor([0.0, -2.0, 3.0]), torch.zeros(3)).tolist() == [0.0, -0.5, 0.5]


def test_weights_come_closer_to_zero() -> None:
    (sparse,), (plain,) = NETWORK.unlearn(L1Sparse(alpha=0.05), FORGET), NETWORK.unlearn(Finetune(), FORGET)
    assert np.abs(weights(sparse)).sum() < np.abs(weights(plain)).sum()
