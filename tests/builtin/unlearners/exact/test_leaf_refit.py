from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.builtin.unlearners.exact.leaf_refit import LeafRefit, RefittedTrees
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath

NOTHING = np.array([], dtype=np.int64)


def original_of(n_classes: int, ids: NDArray[np.int64] | None = None, rounds: int = 30) -> Original:
    rng = np.random.default_rng(0)
    y = np.arange(300) % n_classes
    x = rng.normal(size=(n_classes, 3))[y] + rng.normal(size=(300, 3))
    records = Records("toy", x, y, n_classes, Provenance("made up", "none"))
    data = TrainingSet.of(records, np.arange(250) if ids is None else ids)
    return Original(LightGBM(n_estimators=rounds), data, SeedPath(1) / "train")


def unlearned(original: Original, *steps: Step) -> Fitted:
    state = LeafRefit().prepare(original)
    for step in steps:
        state = LeafRefit().serve(state, step, SeedPath(1) / "serve")
    return state.fitted


def answer(fitted: Fitted, original: Original) -> NDArray[np.float64]:
    return np.exp(fitted.log_posteriors(original.data.records.x))


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("rounds", [1, 30])
def test_with_nothing_to_forget_the_leaves_are_those_of_lightgbm(n_classes: int, rounds: int) -> None:
    original = original_of(n_classes, rounds=rounds)
    again = unlearned(original, Step(NOTHING))
    assert isinstance(again, RefittedTrees)
    np.testing.assert_allclose(answer(again, original), answer(original.fitted, original), atol=1e-5)


def test_the_leaves_of_one_tree_are_found_by_hand() -> None:
    original = original_of(2, rounds=1)
    after = unlearned(original, Step(np.arange(0, 40, 2)))
    assert isinstance(after, RefittedTrees)
    data = original.data.after(Step(np.arange(0, 40, 2)))
    leaf, share = after.leaves(data.x)[:, 0], data.y.mean()
    for number in np.unique(leaf):
        inside = data.y[leaf == number]
        value = 0.1 * (inside - share).sum() / (len(inside) * share * (1 - share))
        assert after.values[0][number] == pytest.approx(value, rel=1e-12)
    assert after.start == pytest.approx(np.log(share / (1 - share)))


def test_splits_stay_and_the_record_moves_its_own_leaves_most() -> None:
    original = original_of(2)
    after = unlearned(original, Step(np.array([7])))
    assert isinstance(after, RefittedTrees)
    assert after.booster is original.fitted.estimator.booster_  # type: ignore[attr-defined] # LightGBM's
    moved = np.abs(answer(after, original) - answer(original.fitted, original)).max(axis=1)
    assert moved[7] > np.quantile(moved, 0.9)


def test_two_steps_are_one_with_both_records() -> None:
    original = original_of(3)
    one_by_one = unlearned(original, Step(np.array([3])), Step(np.array([4]), np.array([260])))
    together = unlearned(original, Step(np.array([3, 4]), np.array([260])))
    np.testing.assert_array_equal(answer(one_by_one, original), answer(together, original))


def test_leaves_and_classes_that_lose_all_records_stay_finite() -> None:
    original = original_of(3)
    after = unlearned(original, Step(np.arange(1, 250)))
    assert np.isfinite(after.log_posteriors(original.data.records.x)).all()


def test_models_of_one_class_stay() -> None:
    original = original_of(3, np.arange(0, 240, 3))
    assert unlearned(original, Step(np.array([0]))) is original.fitted


def test_a_class_that_the_model_lacks_cannot_be_added() -> None:
    original = original_of(3)
    original = replace(original, data=TrainingSet.of(original.data.records, np.flatnonzero(np.arange(250) % 3 != 1)))
    with pytest.raises(UserError, match="cannot add class 1, of which the original had no record"):
        unlearned(original, Step(np.array([0]), np.array([1])))


def test_another_model_is_refused() -> None:
    assert LeafRefit().refusal(LightGBM()) is None
    assert LeafRefit().refusal(DecisionTree()) == "leaf-refit goes with lightgbm only"
