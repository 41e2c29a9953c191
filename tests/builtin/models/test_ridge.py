from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.models.ridge import FittedRidge, Ridge
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def fit(data: TrainingSet, c: float = 1.0) -> FittedRidge:
    return Ridge(c).fit(FitTask(data, Seeds(1, 2, 3)), "cpu")


def all_of(records: Records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(len(records)))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_scikit_learn_finds_the_same_scores(n_classes: int, c: float, blobs: Blobs) -> None:
    from sklearn.linear_model import Ridge as Theirs

    records = blobs(n_classes=n_classes)
    z = (records.x - records.x.mean(axis=0)) / records.x.std(axis=0)
    scores = Theirs(alpha=1 / c).fit(z, np.eye(n_classes)[records.y]).predict(z)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-10)
    cut = np.maximum(scores, 0)
    answer = np.exp(fit(all_of(records), c).log_posteriors(records.x))
    np.testing.assert_allclose(answer, cut / cut.sum(axis=1, keepdims=True), atol=1e-10)


@given(
    seed=st.integers(0, 2**32 - 1),
    gone=st.sets(st.integers(0, 39), max_size=30),
    new=st.sets(st.integers(40, 59)),
    far=st.sampled_from([1.0, 1e4]),
)
def test_subtracting_and_adding_equals_a_refit(seed: int, gone: set[int], new: set[int], far: float) -> None:
    rng = np.random.default_rng(seed)
    records = Records("toy", rng.normal(size=(60, 3)) + far, rng.integers(0, 3, 60), 3, Provenance("made up", "none"))
    before = TrainingSet.of(records, rng.permutation(40))
    after = before.after(Step(np.array(sorted(gone), dtype=np.int64), np.array(sorted(new), dtype=np.int64)))
    moved, refit = (np.exp(each.log_posteriors(records.x)) for each in (fit(before).moved_to(after), fit(after)))
    np.testing.assert_allclose(moved, refit, atol=1e-10)


def test_leaving_one_out_is_the_formula_of_woodbury(blobs: Blobs) -> None:
    """With the penalty held fixed: that of the model moves with the deviations of what is left."""
    fitted = fit(all_of(blobs()))
    ridge = np.diag([1.0, 1.0, 1.0, 1.0, 0.0])  # the frame's deviations are the records' own
    inverse = np.linalg.inv(fitted.products + ridge)
    row = np.append(fitted.frame(fitted.data.x[:1])[0], 1.0)
    less = fitted.moved_to(TrainingSet.of(fitted.data.records, np.arange(1, 150)))
    turned = inverse @ row
    downdated = inverse + np.outer(turned, turned) / (1 - row @ turned)
    np.testing.assert_allclose(np.linalg.inv(less.products + ridge), downdated, atol=1e-10)


def test_a_constant_feature_has_no_weight(blobs: Blobs) -> None:
    records = blobs()
    wide = replace(records, x=np.column_stack([records.x, np.full(len(records), 0.1)]))
    answers = [np.exp(fit(all_of(each)).log_posteriors(each.x)) for each in (records, wide)]
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-10)


def test_the_last_record_cannot_go(blobs: Blobs) -> None:
    records = blobs()
    with pytest.raises(UserError, match="no record left"):
        fit(all_of(records)).moved_to(TrainingSet.of(records, []))
