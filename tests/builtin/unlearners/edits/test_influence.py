from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.gradients.case import CONVOLUTIONAL, LINEAR, NETWORK, Case, gradient, known, weights
from unlearnbench.builtin.unlearners.edits import influence
from unlearnbench.builtin.unlearners.edits.influence import DampedInfluence, Influence, damped_inverse
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.sums import gradient_sum, mean_gradient
from unlearnbench.engine.gradients.unlearner import has_module

FORGET = range(12)
ORIGINALS = {case: case.original() for case in (NETWORK, LINEAR, CONVOLUTIONAL)}


def test_it_is_one_step_along_the_difference_of_the_gradients() -> None:
    (after,) = LINEAR.unlearn(Influence(alpha=3.0), FORGET)
    before = LINEAR.original().fitted
    forget, retain = gradient(before, LINEAR.records, FORGET), gradient(before, LINEAR.records, range(12, 60))
    np.testing.assert_allclose(weights(after) - weights(before), 3.0 * 12 / 60 * (forget - retain), atol=1e-6)


@pytest.mark.parametrize(("versions", "case"), [(1, NETWORK), (2, NETWORK), (1, CONVOLUTIONAL)])
def test_the_retain_set_counts_its_own_records_also_where_some_are_added_and_in_later_steps(
    versions: int, case: Case
) -> None:
    """Adding and taking away gradients of records is the mean over the retain set, to 1e-5."""
    method, state = Influence(alpha=3.0), Influence().prepare(case.original())
    for version in range(versions):
        step = Step(np.arange(6) + 10 * version, add=np.array([70, 71]) + 2 * version)
        before, deletion = state.fitted, state.deletion(step, SeedPath(1))
        state = method.serve(state, step, SeedPath(1))
    forget, retain = (mean_gradient(has_module(before), each) for each in (deletion.forget, deletion.retain))
    assert len(deletion.retain) == 60 - 4 * versions
    factor = 3.0 * 6 / (6 + len(deletion.retain))
    steps = [factor * (gone - kept).numpy().ravel() for gone, kept in zip(forget, retain, strict=True)]
    np.testing.assert_allclose(weights(state.fitted) - weights(before), np.concatenate(steps), atol=1e-5)


@settings(max_examples=40)
@given(
    steps=st.lists(
        st.tuples(st.lists(st.integers(0, 59), max_size=5), st.lists(st.integers(60, 89), max_size=3)),
        min_size=1,
        max_size=5,
    ),
    case=st.sampled_from([NETWORK, LINEAR, CONVOLUTIONAL]),
)
def test_a_request_served_with_others_is_the_formula_of_its_own_sets_to_the_bit(
    steps: list[tuple[list[int], list[int]]], case: Case
) -> None:
    """The gradient of the retain set is that of all records, less those of the records that go, and those that come."""
    method, original = Influence(alpha=3.0), ORIGINALS[case]
    state = method.prepare(original)
    deletions = [
        state.deletion(Step(np.array(forget, np.int64), np.array(add, np.int64)), SeedPath(1) / k)
        for k, (forget, add) in enumerate(steps)
    ]
    fitted = has_module(original.fitted)
    for (forget, add), deletion, served in zip(steps, deletions, method.unlearn_all(deletions), strict=True):
        ids = (forget, range(60), sorted(set(forget)), sorted(add))
        gone, whole, less, more = (gradient_sum(fitted, TrainingSet.of(case.records, each)) for each in ids)
        n_f, n_r = max(len(forget), 1), len(deletion.retain)
        factor = 3.0 * len(forget) / (len(forget) + n_r)
        moved = zip(fitted.module.parameters(), gone, whole, less, more, strict=True)
        wanted = [w + factor * (g / n_f - (a - b + c) / n_r) for w, g, a, b, c in moved]
        assert np.array_equal(weights(served), np.concatenate([each.detach().numpy().ravel() for each in wanted]))


def test_the_loss_rises_on_the_forget_set_and_falls_on_the_retain_set() -> None:
    (after,) = NETWORK.unlearn(Influence(alpha=0.5), FORGET)
    x, y = NETWORK.records.x, NETWORK.records.y
    rise = (NETWORK.original().fitted.log_posteriors(x) - after.log_posteriors(x))[range(90), y]
    assert rise[:12].mean() > 0 > rise[12:60].mean()


def test_a_step_of_no_length_is_no_step() -> None:
    (deletion,) = NETWORK.deletions(Influence(), [FORGET])
    assert Influence(alpha=0.0).unlearn(deletion) is deletion.fitted


def test_the_damped_inverse_is_the_known_one_and_not_that_of_the_published_recursion() -> None:
    case = known("woodfisher")
    t, c = np.arange(6)[:, None], np.arange(3)[None]
    gradients, v = torch.from_numpy(np.sin(1.1 * t + c)), torch.tensor([1.0, -0.5, 0.25], dtype=torch.float64)
    found = damped_inverse(gradients, v, damping=1.0, n=10).numpy()
    np.testing.assert_allclose(found, case["exact_damped_inverse_N=10"], atol=1e-9)
    assert np.abs(found - case["N=10"]).max() > 0.1


@given(records=st.integers(0, 9), numbers=st.integers(1, 9), damping=st.floats(1e-3, 10), seed=st.integers(0, 99))
def test_the_damped_inverse_is_that_of_a_direct_solution(records: int, numbers: int, damping: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gradients, v = rng.normal(size=(records, numbers)), rng.normal(size=numbers)
    n = max(records, 1)
    direct = np.linalg.solve(gradients.T @ gradients / n + damping * np.eye(numbers), v)
    found = damped_inverse(torch.from_numpy(gradients), torch.from_numpy(v), damping, n).numpy()
    np.testing.assert_allclose(found, direct, rtol=1e-6, atol=1e-8)


def test_the_damped_step_is_worked_out_from_the_gradients_of_single_records() -> None:
    (after,) = LINEAR.unlearn(DampedInfluence(damping=0.5), FORGET)
    before = LINEAR.original().fitted
    rows = np.stack([gradient(before, LINEAR.records, [i]) for i in range(12, 60)])
    wanted = 12 / 48 * gradient(before, LINEAR.records, FORGET)
    step = np.linalg.solve(rows.T @ rows / 48 + 0.5 * np.eye(len(wanted)), wanted)
    np.testing.assert_allclose(weights(after) - weights(before), step, atol=1e-5)


def test_gradients_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influence, "_MOST_NUMBERS", 10)
    with pytest.raises(UserError, match="smaller network or fewer records"):
        LINEAR.unlearn(DampedInfluence(), FORGET)
