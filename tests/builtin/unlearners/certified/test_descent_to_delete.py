from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.descent_to_delete import DescentToDelete
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import descent_sigma

SERVE = SeedPath(1) / "serve"


@pytest.mark.parametrize("steps", [1, 10, 200])
def test_each_step_shrinks_the_distance_to_the_optimum_of_what_is_left(n_classes: int, steps: int) -> None:
    method = DescentToDelete(steps=steps)
    before = method.prepare(original_of(n_classes))
    after = method.serve(before, Step(np.array([3])), SERVE).trained
    problem, best = after.problem, after.problem.optimum().weights
    rate = (problem.smoothness - problem.penalty) / (problem.smoothness + problem.penalty)
    start = np.linalg.norm(before.trained.weights - best)
    assert start <= 2 * problem.lipschitz / (problem.penalty * problem.n)  # what the certificate takes for granted
    assert np.linalg.norm(after.weights - best) <= rate**steps * start + 1e-13


def test_one_step_is_gradient_descent_by_hand() -> None:
    method = DescentToDelete(steps=1)
    before = method.prepare(original_of())
    after = method.serve(before, Step(np.array([3])), SERVE).trained
    gradient = after.problem.gradient(before.trained.weights)
    expected = before.trained.weights - 2 / (0.25 + 2 * 0.01) * gradient
    np.testing.assert_allclose(after.weights, expected, rtol=1e-14)


def test_what_is_published_has_the_noise_of_the_theorem_and_the_next_step_starts_without_it(n_classes: int) -> None:
    method = DescentToDelete(steps=20)
    state = method.prepare(original_of(n_classes))
    versions = [method.serve(state, Step(np.array([3])), SERVE / k).trained for k in range(300)]
    noise = np.array([each.published - each.weights for each in versions]).ravel()
    sigma = descent_sigma(0.26, 0.01, sqrt(1 if n_classes == 2 else 3), 99, 20, 1.0, 1e-4)
    assert abs(noise.std() / sigma - 1) < 4 / sqrt(2 * len(noise))
    assert all(np.array_equal(each.weights, versions[0].weights) for each in versions)


@pytest.mark.parametrize(("first", "second", "most"), [(1, 1, 1), (1, 4, 4), (4, 1, 4)])
def test_the_noise_is_that_of_the_largest_change_so_far(first: int, second: int, most: int) -> None:
    method = DescentToDelete(steps=20)
    state = method.prepare(original_of())
    state = method.serve(state, Step(np.arange(first)), SERVE / 1)
    state = method.serve(state, Step(np.arange(first, first + second)), SERVE / 2)
    n = 100 - first if most == first and first != second else 100 - first - second
    assert state.trained.memory == pytest.approx(most / n)


def test_more_steps_and_a_weaker_certificate_need_less_noise() -> None:
    problem = DescentToDelete().prepare(original_of()).trained.problem
    noises = [
        method.sigma(problem, 0.01)
        for method in (DescentToDelete(steps=10), DescentToDelete(steps=20), DescentToDelete(2.0, steps=20))
    ]
    assert noises[0] > noises[1] > noises[2]
