"""A deleted record is reconstructed from two linear models: exactly by ridge, nearly by logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.stats.reconstruction import (
    deleted_direction,
    deleted_features,
    logistic_hessian,
    ridge_hessian,
)

Floats = NDArray[np.float64]
N, PENALTY = 400, 1.0


def data(seed: int, n: int = N) -> tuple[Floats, Floats]:
    """Features with an intercept in the last column, and noisy targets."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=(n, 6)) * [1, 2, 3, 1, 1, 0.5] + [0, 1, 0, -1, 0, 2], np.ones(n)])
    return x, x @ np.arange(7) / 10 + rng.normal(size=n)


def ridge(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.solve(ridge_hessian(x, PENALTY), x.T @ y))


def logistic(x: Floats, y: Floats) -> Floats:
    """By Newton's method to the optimum."""
    theta = np.zeros(x.shape[1])
    for _ in range(50):
        gradient = x.T @ (1 / (1 + np.exp(-x @ theta)) - y) + PENALTY * theta
        theta -= np.linalg.solve(logistic_hessian(x, theta, PENALTY), gradient)
    return theta


def cosine(one: Floats, other: Floats) -> float:
    return float(abs(one @ other) / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.parametrize("seed", range(5))
def test_ridge_regression_reveals_a_deleted_record_exactly(seed: int) -> None:
    x, y = data(seed)
    found = deleted_direction(ridge(x, y), ridge(x[1:], y[1:]), ridge_hessian(x[1:], PENALTY))
    assert cosine(found, x[0]) == pytest.approx(1, abs=1e-9)
    assert deleted_features(found) == pytest.approx(x[0, :-1], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_logistic_regression_reveals_it_nearly(seed: int) -> None:
    x, y = data(seed)
    label = (y > y.mean()).astype(float)
    before, after = logistic(x, label), logistic(x[1:], label[1:])
    assert cosine(deleted_direction(before, after, logistic_hessian(x[1:], before, PENALTY)), x[0]) > 0.999


def test_of_five_deleted_records_the_sum_of_gradients_is_found() -> None:
    x, y = data(0)
    before, after = ridge(x, y), ridge(x[5:], y[5:])
    found = deleted_direction(before, after, ridge_hessian(x[5:], PENALTY))
    gradients = (x[:5] @ before - y[:5])[:, None] * x[:5]
    assert cosine(found, gradients.sum(axis=0)) == pytest.approx(1, abs=1e-9)
    assert max(cosine(found, one) for one in x[:5]) < 0.999


def test_a_sample_of_other_records_is_enough_for_the_hessian() -> None:
    found = []
    for seed in range(20):
        x, y = data(seed)
        own = ridge_hessian(data(seed + 1000)[0], PENALTY)
        found.append(cosine(deleted_direction(ridge(x, y), ridge(x[1:], y[1:]), own), x[0]))
    assert np.median(found) > 0.97


def test_the_hessian_of_the_logistic_loss_is_that_of_differences() -> None:
    x, _ = data(1, n=20)
    theta, step = np.linspace(-0.3, 0.3, 7), 1e-6

    def gradient(at: Floats) -> Floats:
        return np.asarray(x.T @ (1 / (1 + np.exp(-x @ at))) + PENALTY * at)

    columns = [(gradient(theta + step * e) - gradient(theta - step * e)) / (2 * step) for e in np.eye(7)]
    assert logistic_hessian(x, theta, PENALTY) == pytest.approx(np.column_stack(columns), rel=1e-5, abs=1e-6)


def test_equal_models_reveal_nothing() -> None:
    with pytest.raises(ValueError, match="nothing shows what was deleted"):
        deleted_direction([1.0, 2.0], [1.0, 2.0], np.eye(2))


def test_a_direction_without_an_intercept_has_no_scale() -> None:
    with pytest.raises(ValueError, match="the direction is 0 at -1"):
        deleted_features([1.0, 0.0])
