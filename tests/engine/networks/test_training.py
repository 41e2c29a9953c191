from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.engine.networks.training import Forward, TrainingLoop, unit_scales

if TYPE_CHECKING:
    import torch

SGD = TrainingLoop("sgd", learning_rate=0.5, weight_decay=0.0, precision="fp32", fused=False)
X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, -2.0]], dtype=np.float32)
Y = np.array([0, 1, 1])


def trained(
    descent: TrainingLoop,
    steps: list[tuple[int, NDArray[np.int64]]],
    forward: Callable[[torch.nn.Module], Forward] | None = None,
) -> tuple[np.ndarray, torch.nn.Linear]:
    """Return the weights (classes, features) of a linear map that started at zero, and the map."""
    import torch

    module = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.zeros_(module.weight)
    descent.train(module, torch.from_numpy(X), torch.from_numpy(Y), steps, forward and forward(module))
    return module.weight.detach().numpy().copy(), module


def stepped(weights: np.ndarray, rows: list[int], rate: float, decay: float) -> np.ndarray:
    """Return what one step makes of weights: W - rate (mean of (p - e_y) x' + decay W)."""
    exps = np.exp(X[rows] @ weights.T)
    wrong = exps / exps.sum(axis=1, keepdims=True) - np.eye(2)[Y[rows]]
    return np.asarray(weights - rate * (wrong.T @ X[rows] / len(rows) + decay * weights))


@pytest.mark.parametrize("fused", [False, True])
def test_each_step_descends_on_the_mean_cross_entropy_of_its_batch(fused: bool) -> None:
    steps = [(0, [0, 1]), (0, [2]), (1, [1, 2])]
    expected = np.zeros((2, 2))
    for _, rows in steps:
        expected = stepped(expected, rows, 0.5, 0.1)
    descent = replace(SGD, weight_decay=0.1, fused=fused)
    weights, module = trained(descent, [(epoch, np.array(rows)) for epoch, rows in steps])
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    assert module.weight.grad is None


def test_adam_begins_with_steps_of_the_learning_rate() -> None:
    weights, _ = trained(replace(SGD, optimizer="adam", learning_rate=0.25), [(0, np.array([0]))])
    np.testing.assert_allclose(np.abs(weights), 0.25, rtol=1e-4)


def test_a_custom_forward_pass_gets_the_epoch_and_the_rows() -> None:
    calls: list[tuple[tuple[int, ...], int, list[int]]] = []

    def forward(module: torch.nn.Module) -> Forward:
        def recorded(x: torch.Tensor, epoch: int, rows: NDArray[np.int64]) -> torch.Tensor:
            calls.append((tuple(x.shape), epoch, rows.tolist()))
            return cast("torch.Tensor", module(x))

        return recorded

    steps = [(0, np.array([2, 0])), (1, np.array([1]))]
    weights, _ = trained(SGD, steps, forward)
    assert calls == [((2, 2), 0, [2, 0]), ((1, 2), 1, [1])]
    assert np.array_equal(weights, trained(SGD, steps)[0])


def test_bf16_multiplies_in_bfloat16_and_keeps_weights_in_float32() -> None:
    steps = [(0, np.array([0, 1])), (1, np.array([2]))]
    rough, module = trained(replace(SGD, precision="bf16"), steps)
    exact, _ = trained(SGD, steps)
    assert str(module.weight.dtype) == "torch.float32"
    assert not np.array_equal(rough, exact)
    np.testing.assert_allclose(rough, exact, atol=0.02)


def test_values_that_overflow_are_an_error() -> None:
    with pytest.raises(UserError, match=r"overflowed: lower learning_rate \(1e\+38\)"):
        trained(replace(SGD, learning_rate=1e38, weight_decay=1.0), [(0, np.array([0]))] * 5)
    trained(SGD, [])


def test_running_statistics_that_overflow_are_an_error() -> None:
    import torch

    module = torch.nn.BatchNorm1d(2)
    assert module.running_mean is not None
    module.running_mean[0] = torch.inf
    with pytest.raises(UserError, match="overflowed"):
        SGD.train(module, torch.from_numpy(X), torch.from_numpy(Y), [])


SHARES = np.array([0.25, 0.5, 0.0])


def test_units_are_left_out_as_often_as_their_share_says_and_the_rest_makes_up_for_it() -> None:
    scales = unit_scales(1, 0, np.arange(20_000), SHARES)
    assert scales.dtype == np.float32
    np.testing.assert_allclose((scales == 0).mean(axis=0), SHARES, atol=0.015)
    np.testing.assert_allclose(scales.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(scales.max(axis=0), [4 / 3, 2, 1], rtol=1e-6)


def test_the_draws_of_a_record_do_not_depend_on_other_records() -> None:
    every = unit_scales(1, 2, np.arange(50), SHARES)
    some = np.array([40, 3, 17])
    assert np.array_equal(unit_scales(1, 2, some, SHARES), every[some])


@pytest.mark.parametrize(("seed", "epoch"), [(2, 2), (1, 3)])
def test_another_seed_and_another_epoch_are_other_draws(seed: int, epoch: int) -> None:
    ids = np.arange(50)
    assert not np.array_equal(unit_scales(seed, epoch, ids, SHARES), unit_scales(1, 2, ids, SHARES))


def test_units_and_records_are_independent() -> None:
    left_out = unit_scales(1, 0, np.arange(20_000), np.full(4, 0.5)) == 0
    np.testing.assert_allclose(np.corrcoef(left_out.T), np.eye(4), atol=0.03)
    assert abs(np.corrcoef(left_out[:-1, 0], left_out[1:, 0])[0, 1]) < 0.03
