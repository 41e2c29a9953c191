from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records, TrainingSet
from unlearnbench.engine.logistic.bounded import Bounded, FittedBounded, Problem
from unlearnbench.engine.scaling import Standardizer

SEEDS = st.integers(0, 2**32 - 1)


def data_of(n_classes: int = 2, n: int = 60, seed: int = 0) -> TrainingSet:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % n_classes
    x = (rng.normal(size=(n_classes, 3))[y] + rng.normal(size=(n, 3))) * [1, 10, 100]
    return TrainingSet.of(Records("toy", x, y, n_classes, Provenance("made up", "none")), np.arange(n))


def bounded_of(data: TrainingSet) -> Bounded:
    return Bounded(Standardizer.of(data.x), data.n_classes)


def problem_of(n_classes: int = 2, penalty: float = 0.01, seed: int = 0) -> Problem:
    data = data_of(n_classes, seed=seed)
    return Problem.of(data, bounded_of(data), penalty)


@given(SEEDS, st.floats(0.1, 1e6))
def test_no_row_is_longer_than_one_and_its_direction_is_kept(seed: int, far: float) -> None:
    data = data_of(seed=seed)
    asked = data.x * far
    rows = bounded_of(data).rows(asked)
    assert np.linalg.norm(rows, axis=1).max() <= 1 + 1e-12
    plain = np.column_stack([Standardizer.of(data.x)(asked), np.ones(len(asked))])
    np.testing.assert_allclose((rows * plain).sum(axis=1), np.linalg.norm(rows, axis=1) * np.linalg.norm(plain, axis=1))


@pytest.mark.parametrize(("n_classes", "positive"), [(2, [1]), (3, [0, 1, 2])])
def test_two_classes_are_one_model_and_more_are_one_each(n_classes: int, positive: list[int]) -> None:
    signs = bounded_of(data_of(n_classes)).signs(np.arange(n_classes))
    assert [np.flatnonzero(row > 0).tolist() for row in signs] == [[k] for k in positive]


@given(SEEDS, st.sampled_from([2, 3]))
def test_gradient_and_newton_step_are_the_derivatives_of_the_loss(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    problem = problem_of(n_classes)
    problem = replace(problem, tilt=rng.normal(size=problem.shape))
    weights, way = rng.normal(size=problem.shape), rng.normal(size=problem.shape)
    ends = [problem.losses(weights + t * way) for t in (1e-5, -1e-5)]
    slope = (problem.gradient(weights) * way).sum(axis=1)
    np.testing.assert_allclose((ends[0] - ends[1]) / 2e-5, slope, atol=1e-7)
    step = problem.newton_steps(weights)
    change = (problem.gradient(weights + 1e-6 * step) - problem.gradient(weights - 1e-6 * step)) / 2e-6
    np.testing.assert_allclose(change, -problem.gradient(weights), atol=1e-7)


@given(SEEDS)
def test_gradients_and_curvature_are_within_the_constants(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = problem_of(3, seed=seed % 7)
    one, other = rng.normal(size=(2, *problem.shape)) * 3
    alone = replace(problem, rows=problem.rows[:1], signs=problem.signs[:, :1], penalty=0.0)
    assert np.linalg.norm(alone.gradient(one)) <= problem.lipschitz
    way = other - one
    curvature = ((problem.gradient(other) - problem.gradient(one)) * way).sum() / (way**2).sum()
    assert problem.penalty <= curvature <= problem.smoothness


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("penalty", [1e-4, 0.01, 1.0])
def test_scikit_learn_finds_the_same_optimum(n_classes: int, penalty: float) -> None:
    from sklearn.linear_model import LogisticRegression

    problem = problem_of(n_classes, penalty)
    weights = problem.optimum().weights
    assert np.abs(problem.gradient(weights)).max() < 1e-14
    for own, signs in zip(weights, problem.signs, strict=True):
        theirs = LogisticRegression(C=1 / (penalty * problem.n), fit_intercept=False, tol=1e-12, solver="newton-cg")
        np.testing.assert_allclose(own, theirs.fit(problem.rows, signs).coef_[0], rtol=1e-5)


def test_a_perturbed_optimum_and_the_newton_step_without_a_record_are_those_of_the_papers_code() -> None:
    k = np.arange(20)
    x = np.sin(1.3 * k[:, None] + np.arange(3))
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)
    y = np.where(7 * k % 5 < 2, 1.0, -1.0)
    whole = Problem(x, y[None], 0.01, np.array([[0.3, -0.2, 0.1]]))
    less = replace(whole, rows=x[1:], signs=y[None, 1:])
    weights = whole.optimum().weights
    np.testing.assert_allclose(weights, [[-1.730257, 1.047947, -0.217914]], atol=1e-4)  # theirs is in single precision
    step = less.newton_steps(weights)
    np.testing.assert_allclose(step, [[-0.04656485, -0.0477797, -0.1672019]], atol=1e-5)
    np.testing.assert_allclose(less.optimum().weights, [[-1.7779483, 1.0010716, -0.3831172]], atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_posteriors_are_the_models_own_for_two_classes_and_their_shares_for_more(n_classes: int) -> None:
    from scipy.special import expit

    data = data_of(n_classes)
    bounded = bounded_of(data)
    weights = Problem.of(data, bounded, 0.01).optimum().weights
    each = expit(bounded.rows(data.x) @ weights.T)
    expected = np.column_stack([1 - each, each]) if n_classes == 2 else each / each.sum(axis=1, keepdims=True)
    answer = np.exp(FittedBounded(weights, bounded).log_posteriors(data.x))
    np.testing.assert_allclose(answer, expected, atol=1e-12)
    assert (answer.argmax(axis=1) == data.y).mean() > 0.5


def test_no_record_is_refused() -> None:
    data = data_of()
    with pytest.raises(UserError, match="no record left"):
        Problem.of(TrainingSet.of(data.records, []), bounded_of(data), 0.01)
