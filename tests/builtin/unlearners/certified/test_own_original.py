"""What methods that train their own original have in common."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.unlearners.certified.certified_removal import CertifiedRemoval
from unlearnbench.builtin.unlearners.certified.deltagrad import DeltaGrad
from unlearnbench.builtin.unlearners.certified.descent_to_delete import DescentToDelete
from unlearnbench.builtin.unlearners.certified.langevin import Langevin
from unlearnbench.builtin.unlearners.certified.own_original import OwnOriginal
from unlearnbench.builtin.unlearners.certified.rewind_to_delete import RewindToDelete
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath

SERVE = SeedPath(1) / "serve"
METHODS = [
    CertifiedRemoval(),
    DescentToDelete(steps=50),
    Langevin(epsilon=5.0, sigma=1.0),
    RewindToDelete(),
    DeltaGrad(),
]
DRAWS_NOTHING = (CertifiedRemoval, DeltaGrad)  # in a step
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)


@every_method
def test_the_target_models_original_is_not_trained_for_it(method: OwnOriginal) -> None:
    original = original_of()
    method.prepare(original)
    assert not original.is_trained


@every_method
def test_the_penalty_is_the_target_models_and_stays_when_records_go(method: OwnOriginal) -> None:
    state = method.prepare(original_of(c=2.0))
    assert state.trained.problem.penalty == 1 / 200
    assert method.serve(state, Step(np.arange(10)), SERVE).trained.problem.penalty == 1 / 200


@every_method
def test_records_that_went_have_no_row_and_those_that_came_have_one(method: OwnOriginal) -> None:
    state = method.prepare(original_of())
    after = method.serve(state, Step(np.array([0, 5]), np.array([110])), SERVE)
    kept = [*np.delete(np.arange(100), [0, 5]), 110]
    np.testing.assert_array_equal(after.trained.problem.rows, state.bounded.rows(state.data.records.x[kept]))
    np.testing.assert_array_equal(after.trained.problem.signs, state.bounded.signs(state.data.records.y[kept]))


@every_method
def test_a_step_in_which_nothing_changes_leaves_the_model(method: OwnOriginal) -> None:
    state = method.prepare(original_of())
    assert method.serve(state, Step(np.array([], dtype=np.int64)), SERVE).trained is state.trained


@every_method
def test_the_original_depends_on_its_own_seeds_and_a_version_on_its_seeds(method: OwnOriginal) -> None:
    state = method.prepare(original_of())
    assert np.array_equal(state.trained.published, method.prepare(original_of()).trained.published)
    one, again, other = (
        method.serve(state, Step(np.array([0])), SERVE / name).trained.published for name in ("a", "a", "b")
    )
    assert np.array_equal(one, again)
    assert np.array_equal(one, other) == isinstance(method, DRAWS_NOTHING)


@every_method
def test_no_record_left_is_refused(method: OwnOriginal) -> None:
    state = method.prepare(original_of())
    with pytest.raises(UserError, match="no record left"):
        method.serve(state, Step(np.arange(100)), SERVE)


@every_method
def test_another_model_is_refused(method: OwnOriginal) -> None:
    assert method.refusal(LogisticRegression()) is None
    assert method.refusal(DecisionTree()) == (
        "needs logistic-regression, whose loss is convex; DecisionTree is another model"
    )
