from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.langevin import Langevin, first_that
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import law_after, law_between, law_shift, renyi_epsilon

SERVE = SeedPath(1) / "serve"


def test_the_steps_are_the_fewest_for_which_the_certificate_holds(n_classes: int) -> None:
    method = Langevin(epsilon=0.5)
    problem = method.prepare(original_of(n_classes)).trained.problem
    start = law_shift(problem.penalty, problem.lipschitz, 0.1, 99, 1)
    steps = method.steps(problem, start)
    assert steps > 1
    for taken, within in ((steps, True), (steps - 1, False)):
        left = law_after(start, problem.penalty, 1 / problem.smoothness, taken)
        assert (renyi_epsilon(left, 1e-4) <= 0.5) == within


def test_a_certificate_out_of_reach_is_refused() -> None:
    method = Langevin(epsilon=0.001, sigma=1e-3)
    state = method.prepare(original_of())
    with pytest.raises(UserError, match=r"langevin needs more than 1048576 steps: raise sigma \(0.001\)"):
        method.serve(state, Step(np.array([0])), SERVE)
    with pytest.raises(UserError, match="or lower c"):  # so flat that training alone takes more
        method.prepare(original_of(c=1e5))


def test_a_later_step_keeps_the_certificate_in_spite_of_what_the_first_left() -> None:
    method = Langevin()
    first = method.serve(method.prepare(original_of()), Step(np.array([1])), SERVE / 1)
    second = method.serve(first, Step(np.array([2])), SERVE / 2)
    for state in (first, second):
        assert renyi_epsilon(state.trained.memory, 1e-4) <= 1.0
    fresh = law_shift(0.01, 1.0, 0.1, 98, 1)
    both = law_between(first.trained.memory, fresh)
    problem = second.trained.problem
    assert method.steps(problem, both) > method.steps(problem, fresh)
    taken = method.steps(problem, both)
    np.testing.assert_array_equal(
        second.trained.published, method._run(problem, first.trained.weights, taken, SERVE / 2)
    )


def test_without_noise_it_is_gradient_descent() -> None:
    method = Langevin(sigma=1e-12)
    problem = Langevin().prepare(original_of()).trained.problem
    weights = method._run(problem, np.ones((1, 4)), 3, SERVE)
    by_hand = np.ones((1, 4))
    for _ in range(3):
        by_hand = by_hand - problem.gradient(by_hand) / 0.26
    np.testing.assert_allclose(weights, by_hand, atol=1e-10)


def test_unlearned_and_retrained_models_have_one_law() -> None:
    from scipy.stats import ks_2samp

    method = Langevin(epsilon=0.5, sigma=0.5)
    unlearned, retrained = [], []
    for seed in range(150):
        original = replace(original_of(c=0.1), seeds=SeedPath(seed) / "train")
        state = method.serve(method.prepare(original), Step(np.arange(5)), SeedPath(seed) / "serve")
        unlearned.append(state.trained.published)
        retrained.append(method.train(state.trained.problem, SeedPath(seed) / "again").published)
    for k in range(4):
        there, back = (np.array(each)[:, 0, k] for each in (unlearned, retrained))
        assert ks_2samp(there, back).pvalue > 1e-3


@given(st.integers(1, 1000), st.integers(0, 10**6))
def test_the_first_that_holds_is_found(first: int, more: int) -> None:
    assert first_that(lambda k: k >= first, first + more) == first
