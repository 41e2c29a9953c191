from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.deltagrad import DeltaGrad, curvature, without
from unlearnbench.builtin.unlearners.certified.own_original import OwnState
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath

SERVE = SeedPath(1) / "serve"
STEP = Step(np.array([3, 4, 5]), np.array([110]))


def served(method: DeltaGrad, n_classes: int = 2, *steps: Step) -> OwnState:
    state = method.prepare(original_of(n_classes))
    for step in steps or (STEP,):
        state = method.serve(state, step, SERVE)
    return state


def error(method: DeltaGrad, n_classes: int = 2) -> float:
    """Return how far it ends from the run on what is left."""
    state = served(method, n_classes)
    return float(np.abs(state.trained.published - method.train(state.trained.problem, SERVE).published).max())


def test_training_is_gradient_descent_from_zero_and_the_log_has_each_step() -> None:
    trained = DeltaGrad(steps=3, learning_rate=0.5).prepare(original_of()).trained
    weights = np.zeros((1, 4))
    for t in range(3):
        np.testing.assert_array_equal(trained.memory.weights[t], weights)
        np.testing.assert_array_equal(trained.memory.gradients[t], trained.problem.gradient(weights))
        weights = weights - 0.5 * trained.problem.gradient(weights)
    np.testing.assert_array_equal(trained.published, weights)


@pytest.mark.parametrize("method", [DeltaGrad(period=1), DeltaGrad(exact=200), DeltaGrad(steps=60, exact=60)])
def test_with_all_gradients_computed_it_is_bitwise_training_again(method: DeltaGrad, n_classes: int) -> None:
    assert error(method, n_classes) == 0


def test_computing_more_gradients_leaves_less_error_and_the_default_little(n_classes: int) -> None:
    errors = [error(DeltaGrad(exact=2, period=period), n_classes) for period in (50, 10, 2)]
    assert errors[0] > errors[1] > errors[2] > 0
    state = served(DeltaGrad(), n_classes)
    moved = np.abs(state.trained.published - DeltaGrad().prepare(original_of(n_classes)).trained.published).max()
    assert error(DeltaGrad(), n_classes) < moved / 100


def test_only_the_steps_that_are_named_read_the_retained_records(monkeypatch: pytest.MonkeyPatch) -> None:
    from unlearnbench.engine.logistic.bounded import Problem

    method = DeltaGrad(steps=50, exact=10, period=10)
    state = method.prepare(original_of())
    read, pull = [], Problem.pull

    def counting(self: Problem, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        read.append(self.n)
        return pull(self, weights)

    monkeypatch.setattr(Problem, "pull", counting)
    method.serve(state, Step(np.array([3, 4, 5])), SERVE)
    assert read.count(97) == 10 + 4
    assert read.count(3) == 50 - 14


def test_a_later_step_goes_on_from_the_log_of_the_one_before() -> None:
    method = DeltaGrad()
    first = served(method, 2, Step(np.array([3])))
    second = method.serve(first, Step(np.array([4])), SERVE)
    again = method.train(second.trained.problem, SERVE)
    assert (
        np.abs(second.trained.published - again.published).max()
        < 1e-3 * np.abs(first.trained.published - second.trained.published).max() + 1e-4
    )


@given(st.integers(0, 2**32 - 1))
def test_the_gradient_without_records_is_that_of_the_records_that_are_left(seed: int) -> None:
    state = DeltaGrad(steps=1).prepare(original_of(3))
    _, change = state.after(STEP)
    weights = np.random.default_rng(seed).normal(size=state.trained.problem.shape)
    before = state.trained.problem
    np.testing.assert_allclose(
        without(before, change, weights, before.gradient(weights)), change.problem.gradient(weights), atol=1e-13
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_estimate_is_that_of_bfgs_with_whole_matrices(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    hessian = root @ root.T + np.eye(6)
    moves = [rng.normal(size=6) for _ in range(count)]
    pairs = [(s.reshape(2, 3), (hessian @ s).reshape(2, 3)) for s in moves]
    last = moves[-1]
    b = np.eye(6) * (last @ hessian @ last) / (last @ last)
    for s in moves:
        y = hessian @ s
        b = b - np.outer(b @ s, b @ s) / (s @ b @ s) + np.outer(y, y) / (y @ s)
    way = rng.normal(size=6)
    np.testing.assert_allclose(curvature(pairs, way.reshape(2, 3)).ravel(), b @ way, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(curvature(pairs, pairs[-1][0]), pairs[-1][1], rtol=1e-6, atol=1e-6)
