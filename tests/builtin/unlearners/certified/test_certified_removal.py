from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.certified_removal import CertifiedRemoval, residual_bound
from unlearnbench.builtin.unlearners.certified.own_original import OwnState
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.logistic.bounded import Problem

SERVE = SeedPath(1) / "serve"


def test_the_bound_of_the_papers_code_is_found_and_exceeds_what_the_step_leaves() -> None:
    k = np.arange(20)
    x = np.sin(1.3 * k[:, None] + np.arange(3))
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)
    y = np.where(7 * k % 5 < 2, 1.0, -1.0)
    whole = Problem(x, y[None], 0.01, np.array([[0.3, -0.2, 0.1]]))
    less = replace(whole, rows=x[1:], signs=y[None, 1:])
    weights = whole.optimum().weights
    step = less.newton_steps(weights)
    assert residual_bound(less, step) == pytest.approx(0.06664378941059113, rel=1e-4)
    left = np.linalg.norm(less.gradient(weights + step)) * less.n
    assert left == pytest.approx(0.00548574747517705, rel=0.01)  # theirs is in single precision
    np.testing.assert_allclose(weights + step, [[-1.776822, 1.000167, -0.385116]], atol=1e-4)


@cache
def prepared(n_classes: int) -> OwnState:
    return CertifiedRemoval(sigma=100.0).prepare(original_of(n_classes))


@given(st.sets(st.integers(0, 99), min_size=1, max_size=3), st.sampled_from([2, 3]))
def test_what_steps_leave_is_within_the_bounds_added_up(forget: set[int], n_classes: int) -> None:
    method = CertifiedRemoval(sigma=100.0)
    state = prepared(n_classes)
    for v, record in enumerate(sorted(forget)):
        state = method.serve(state, Step(np.array([record])), SERVE / v)
    trained = state.trained
    assert np.linalg.norm(trained.problem.gradient(trained.weights)) * trained.problem.n <= trained.memory + 1e-11


def served(method: CertifiedRemoval, n_classes: int) -> tuple[OwnState, OwnState]:
    state = method.prepare(original_of(n_classes))
    return state, method.serve(state, Step(np.array([3])), SERVE)


def test_within_the_budget_it_is_one_newton_step_on_the_same_perturbation(n_classes: int) -> None:
    before, after = served(CertifiedRemoval(sigma=10.0), n_classes)
    assert 0 < after.trained.memory <= CertifiedRemoval().budget
    np.testing.assert_array_equal(after.trained.problem.tilt, before.trained.problem.tilt)
    step = after.trained.problem.newton_steps(before.trained.weights)
    np.testing.assert_array_equal(after.trained.published, before.trained.weights + step)


def test_beyond_the_budget_it_is_trained_again_with_a_perturbation_of_its_own(n_classes: int) -> None:
    before, after = served(CertifiedRemoval(sigma=1e-3), n_classes)
    assert after.trained.memory == 0
    assert not np.array_equal(after.trained.problem.tilt, before.trained.problem.tilt)
    assert np.abs(after.trained.problem.gradient(after.trained.published)).max() < 1e-12


def test_the_perturbation_has_the_deviation_that_is_asked_for() -> None:
    problem = CertifiedRemoval().prepare(original_of()).trained.problem
    tilts = [CertifiedRemoval(sigma=3.0).train(problem, SERVE / k) for k in range(60)]
    numbers = np.concatenate([np.ravel(each.problem.tilt) for each in tilts])
    assert abs(numbers.std() / 3 - 1) < 4 / np.sqrt(2 * len(numbers))
    assert abs(numbers.mean() / 3) < 4 / np.sqrt(len(numbers))
