from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.builtin.models.logistic_regression import FittedLogisticRegression, LogisticRegression
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.engine.scaling import Standardizer

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def newton(x: np.ndarray, y: np.ndarray, n_classes: int, c: float) -> np.ndarray:
    """Solve L2-penalized logistic regression by plain Newton steps on the whole Hessian; return weights (k, d + 1)."""
    rows = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(x.shape[1], 1 / c), 0.0)
    free = 1 if n_classes == 2 else n_classes  # two classes: one vector of weights, the other's logit is 0
    weights = np.zeros((free, rows.shape[1]))
    for _ in range(60):
        p = probabilities(weights, x)[:, -free:]
        gradient = (p - (y[:, None] == np.arange(n_classes)[-free:])).T @ rows + weights * penalty
        curvature = np.einsum("nij,na,nb->iajb", p[:, :, None] * (np.eye(free) - p[:, None, :]), rows, rows)
        curvature = curvature.reshape(weights.size, -1) + np.diag(np.tile(penalty, free))
        weights = weights - np.linalg.lstsq(curvature, gradient.ravel())[0].reshape(weights.shape)
    assert np.abs(gradient).max() < 1e-9
    return weights


def probabilities(weights: np.ndarray, x: np.ndarray) -> np.ndarray:
    logits = np.column_stack([x, np.ones(len(x))]) @ weights.T
    logits = np.column_stack([np.zeros(len(x)), logits]) if len(weights) == 1 else logits
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("c", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("forgotten", [[], [4], [4, 9, 31]])
def test_leaving_records_out_equals_newtons_solution_without_them(
    n_classes: int, c: float, forgotten: list[int], blobs: Blobs, seeds: Seeds
) -> None:
    records = blobs(n=90, n_classes=n_classes)
    data = TrainingSet.of(records, np.arange(90)).after(Step(np.array(forgotten, dtype=np.int64)))
    z = Standardizer.of(records.x)(records.x)
    expected = probabilities(newton(z[data.mask], data.y, n_classes, c), z)
    fitted = LogisticRegression(c=c).fit(FitTask(data, seeds), "cpu")
    np.testing.assert_allclose(np.exp(fitted.log_posteriors(records.x)), expected, atol=1e-8)


def test_the_order_of_the_records_does_not_matter(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    there, back = (
        LogisticRegression().fit(FitTask(TrainingSet.of(records, ids), seeds), "cpu").log_posteriors(records.x)
        for ids in (np.arange(150), np.arange(150)[::-1])
    )
    np.testing.assert_allclose(there, back, atol=1e-8)


@pytest.mark.parametrize("c", [1e-5, 1.0, 1e5])
def test_weak_and_strong_penalties_are_solved_on_separable_records_too(c: float, blobs: Blobs, seeds: Seeds) -> None:
    plain = blobs(n=40, n_classes=2)
    separable = replace(plain, x=plain.x + np.outer(1000.0 * plain.y, np.arange(plain.x.shape[1]) == 0))
    data = TrainingSet.of(separable, np.arange(40))
    answer = LogisticRegression(c=c).fit(FitTask(data, seeds), "cpu").log_posteriors(separable.x)
    assert (answer.argmax(axis=1) == separable.y).mean() > 0.9


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("short", [{"max_iter": 1}, {"tol": 1e-30}])
def test_stopping_short_of_the_optimum_is_an_error_that_says_how_far(
    short: dict[str, Any], n_classes: int, blobs: Blobs, seeds: Seeds
) -> None:
    data = TrainingSet.of(blobs(n_classes=n_classes), np.arange(150))
    with pytest.raises(UserError, match=r"mean gradient \d\.\de-\d\d after \d+ steps"):
        LogisticRegression(**short).fit(FitTask(data, seeds), "cpu")


def test_the_small_posterior_beside_a_confident_one_keeps_its_digits() -> None:
    one_feature = Standardizer(np.zeros(1), np.ones(1))
    fitted = FittedLogisticRegression(np.array([[0.0], [1.0]]), np.zeros(2), np.arange(2), 2, one_feature)
    small, large = fitted.log_posteriors(np.array([[50.0]]))[0]  # 1 - sigmoid(50) would be 0
    assert (small, large) == (pytest.approx(-50.0, rel=1e-12), pytest.approx(0.0, abs=1e-15))
