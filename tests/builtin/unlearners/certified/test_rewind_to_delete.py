from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.rewind_to_delete import RewindToDelete
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.certificates import gaussian_delta, rewind_factor

SERVE = SeedPath(1) / "serve"


@given(
    forget=st.sets(st.integers(0, 99), min_size=1, max_size=30),
    steps=st.integers(1, 60),
    rewind=st.integers(1, 60),
    rate=st.floats(0.01, 1.0),
    n_classes=st.sampled_from([2, 3]),
)
def test_it_ends_no_farther_from_training_again_than_the_noise_is_made_for(
    forget: set[int], steps: int, rewind: int, rate: float, n_classes: int
) -> None:
    method = RewindToDelete(steps=steps, rewind=rewind, learning_rate=rate)
    state = method.serve(method.prepare(original_of(n_classes)), Step(np.array(sorted(forget))), SERVE)
    problem = state.trained.problem
    apart = np.linalg.norm(state.trained.weights - method.train(problem, SERVE).weights)
    factor = rewind_factor(problem.smoothness, rate, steps, min(rewind, steps), len(forget), 100)
    most = 2 * len(forget) * problem.lipschitz / (problem.smoothness * problem.n) * factor
    assert apart <= most + 1e-12
    if sigma := method.sigma(problem, 100, len(forget)):
        assert gaussian_delta(1.0, most / sigma) == pytest.approx(1e-4, rel=1e-5)


def test_rewound_to_the_start_it_is_training_again_without_noise(n_classes: int) -> None:
    method = RewindToDelete(steps=20, rewind=20)
    after = method.serve(method.prepare(original_of(n_classes)), Step(np.array([3])), SERVE).trained
    np.testing.assert_array_equal(after.published, method.train(after.problem, SERVE).published)
    np.testing.assert_array_equal(after.published, after.weights)


def test_what_is_published_has_the_noise_and_more_rewinding_needs_less_of_it() -> None:
    method = RewindToDelete()
    state = method.prepare(original_of())
    problem = state.trained.problem
    versions = [method.serve(state, Step(np.array([3])), SERVE / k).trained for k in range(300)]
    noise = np.array([each.published - each.weights for each in versions]).ravel()
    sigma = method.sigma(versions[0].problem, 100, 1)
    assert abs(noise.std() / sigma - 1) < 4 / sqrt(2 * len(noise))
    noises = [RewindToDelete(rewind=k).sigma(problem, 100, 1) for k in (10, 50, 90)]
    assert noises[0] > noises[1] > noises[2] > 0


def test_a_later_step_goes_back_to_the_same_checkpoint_and_counts_all_that_changed() -> None:
    method = RewindToDelete()
    state = method.prepare(original_of())
    one = method.serve(state, Step(np.array([3, 4])), SERVE)
    two = method.serve(one, Step(np.array([5]), np.array([110])), SERVE)
    assert [each.trained.memory.changed for each in (state, one, two)] == [0, 2, 4]
    assert two.trained.memory.weights is state.trained.memory.weights
    at_once = method.serve(state, Step(np.array([3, 4, 5]), np.array([110])), SERVE)
    np.testing.assert_array_equal(at_once.trained.published, two.trained.published)


def test_as_many_changes_as_records_are_refused() -> None:
    method = RewindToDelete()
    state = method.prepare(original_of(n=10))
    with pytest.raises(UserError, match="fewer changes than the original has records, 10"):
        method.serve(state, Step(np.arange(5), np.arange(50, 55)), SERVE)


def test_steps_that_drift_without_end_are_refused() -> None:
    with pytest.raises(UserError, match=r"lower steps \(5000\) or learning_rate \(1\), or raise rewind \(50\)"):
        RewindToDelete(steps=5000, learning_rate=1.0).prepare(original_of())
