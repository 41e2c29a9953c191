from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.builtin.unlearners.certified.conftest import original_of, records_of
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import FittedLogisticRegression, LogisticRegression
from unlearnbench.builtin.unlearners.certified.newton import NewtonStep, stepped, with_weights
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Engine, FitTask, Fitted, Seeds
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath

SEEDS = Seeds(1, 2, 3)


def unlearned(original: Original, forget: list[int]) -> Fitted:
    method = NewtonStep()
    return method.serve(method.prepare(original), Step(np.array(forget, dtype=np.int64)), SeedPath(1) / "s").fitted


def answer(fitted: Fitted, original: Original) -> np.ndarray:
    return np.exp(fitted.log_posteriors(original.data.records.x))


def loss_of(flat: np.ndarray, x: np.ndarray, y: np.ndarray, penalty: np.ndarray) -> float:
    """Return the loss of two classes at weights (d + 1,), by its formula."""
    margins = np.where(y == 1, 1, -1) * (np.column_stack([x, np.ones(len(x))]) @ flat)
    return float(np.logaddexp(0, -margins).sum() + (penalty * flat**2).sum() / 2)


def test_the_step_is_newtons_by_finite_differences() -> None:
    original = original_of()
    fitted = with_weights(original.fitted)
    data = original.data.after(Step(np.array([3, 8])))
    x, flat = fitted.standardizer(data.x), np.append(fitted.coef[1] - fitted.coef[0], np.diff(fitted.intercept))
    penalty, h = np.array([1.0, 1.0, 1.0, 0.0]), 1e-4
    basis = np.eye(4) * h

    def f(weights: np.ndarray) -> float:
        return loss_of(weights, x, data.y, penalty)

    gradient = np.array([f(flat + e) - f(flat - e) for e in basis]) / (2 * h)
    hessian = np.array(
        [[f(flat + e + g) - f(flat + e - g) - f(flat - e + g) + f(flat - e - g) for g in basis] for e in basis]
    ) / (4 * h * h)
    expected = flat - np.linalg.solve(hessian, gradient)
    after = stepped(fitted, data, 1.0)
    np.testing.assert_allclose([*(after.coef[1] - after.coef[0]), *np.diff(after.intercept)], expected, atol=1e-6)


def test_what_it_misses_falls_with_the_square_of_what_is_forgotten(n_classes: int) -> None:
    misses = []
    for copies in (1, 4):
        records = records_of(n_classes)
        many = replace(records, x=np.tile(records.x, (copies, 1)), y=np.tile(records.y, copies))
        ids = np.concatenate([np.arange(100) + 120 * k for k in range(copies)])
        original = replace(original_of(n_classes, c=100.0 / copies), data=TrainingSet.of(many, ids))
        refit = original.model.fit(FitTask(original.data.after(Step(np.array([3, 4, 5]))), SEEDS), "cpu")
        misses.append(np.abs(answer(unlearned(original, [3, 4, 5]), original) - answer(refit, original)).max())
    assert misses[0] > 10 * misses[1]  # a quarter of the share is forgotten: 16 times less, but for higher orders
    assert misses[1] < 1e-3


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_it_comes_nearer_to_a_refit_with_either_engine(n_classes: int, engine: Engine) -> None:
    original = replace(original_of(n_classes), engine=engine)
    forget = [0, 1, 2, 3]
    refit = answer(original.model.fit(FitTask(original.data.after(Step(np.array(forget))), SEEDS), "cpu"), original)
    before, after = (
        np.abs(answer(each, original) - refit).max() for each in (original.fitted, unlearned(original, forget))
    )
    assert after < before / 10


def test_with_nothing_to_forget_it_stays_but_for_rounding(n_classes: int) -> None:
    original = original_of(n_classes)
    np.testing.assert_allclose(answer(unlearned(original, []), original), answer(original.fitted, original), atol=1e-9)


def test_a_model_of_one_class_stays_as_it_is() -> None:
    original = replace(original_of(3), data=TrainingSet.of(records_of(3), np.arange(0, 90, 3)))
    assert unlearned(original, [0]) is original.fitted


def test_a_class_that_the_model_lacks_cannot_be_added() -> None:
    records = records_of(3)
    original = replace(original_of(3), data=TrainingSet.of(records, np.flatnonzero(records.y[:90] != 1)))
    method = NewtonStep()
    with pytest.raises(UserError, match="cannot add class 1, of which the original had no record"):
        method.serve(method.prepare(original), Step(np.array([0]), np.array([1])), SeedPath(1) / "s")


def test_what_it_does_not_go_with_is_refused() -> None:
    assert NewtonStep().refusal(LogisticRegression()) is None
    assert NewtonStep().refusal(LogisticRegression(scaler="refit")) == (
        "a Newton step keeps the scaler: use scaler: original"
    )
    assert "needs logistic-regression" in (NewtonStep().refusal(DecisionTree()) or "")


def test_the_weights_of_either_engine_answer_as_the_model_does(n_classes: int) -> None:
    original = original_of(n_classes)
    weights = with_weights(original.fitted)
    assert isinstance(weights, FittedLogisticRegression)
    np.testing.assert_allclose(answer(weights, original), answer(original.fitted, original), atol=1e-12)
