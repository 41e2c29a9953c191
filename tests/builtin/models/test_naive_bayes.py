from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from unlearnbench.builtin.models.naive_bayes import ClassSums, FittedNaiveBayes, NaiveBayes
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.posteriors import FLOOR
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs

SEEDS = Seeds(1, 2, 3)


def fit(data: TrainingSet, smoothing: float = 1e-9) -> FittedNaiveBayes:
    return NaiveBayes(smoothing).fit(FitTask(data, SEEDS), "cpu")


def all_of(records: Records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(len(records)))


def by_hand(data: TrainingSet, asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return posteriors by the densities of scipy."""
    from scipy.stats import norm

    joint = np.stack(
        [
            np.log((data.y == c).mean())
            + norm.logpdf(asked, data.x[data.y == c].mean(axis=0), data.x[data.y == c].std(axis=0)).sum(axis=1)
            for c in range(data.n_classes)
        ],
        axis=1,
    )
    shares = np.exp(joint - joint.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def test_posteriors_are_those_of_normal_densities(blobs: Blobs) -> None:
    records = blobs()
    data = all_of(records)
    np.testing.assert_allclose(np.exp(fit(data, 1e-15).log_posteriors(records.x)), by_hand(data, records.x), atol=1e-12)


def test_scikit_learn_finds_the_same_where_all_features_have_one_scale(blobs: Blobs) -> None:
    from sklearn.naive_bayes import GaussianNB

    records = blobs()
    records = replace(records, x=(records.x - records.x.mean(axis=0)) / records.x.std(axis=0))
    answer = fit(all_of(records), 1e-3).log_posteriors(records.x)
    theirs = GaussianNB(var_smoothing=1e-3).fit(records.x, records.y).predict_log_proba(records.x)
    np.testing.assert_allclose(answer, np.maximum(theirs, np.log(FLOOR)), atol=1e-9)


@given(
    seed=st.integers(0, 2**32 - 1),
    gone=st.sets(st.integers(0, 39), max_size=39),
    new=st.sets(st.integers(40, 59)),
    far=st.sampled_from([1.0, 100.0, 1e4]),
)
def test_subtracting_and_adding_equals_a_refit(seed: int, gone: set[int], new: set[int], far: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 3)) * far + rng.normal(size=3) * 100
    records = Records("toy", x, rng.integers(0, 3, 60), 3, Provenance("made up", "none"))
    before = TrainingSet.of(records, rng.permutation(40))
    after = before.after(Step(np.array(sorted(gone), dtype=np.int64), np.array(sorted(new), dtype=np.int64)))
    sums, refit = fit(before).moved_to(after).sums, fit(after).sums
    np.testing.assert_array_equal(sums.count, refit.count)
    there = refit.count > 0
    np.testing.assert_allclose(sums.mean[there], refit.mean[there], rtol=1e-12, atol=1e-12 * far)
    np.testing.assert_allclose(sums.variance[there], refit.variance[there], atol=1e-12 * far**2)


def test_a_class_whose_last_record_goes_gets_the_floor_and_one_that_is_new_a_share(blobs: Blobs) -> None:
    records = blobs()
    without = TrainingSet.of(records, np.flatnonzero(records.y != 1))
    everyone = all_of(records)
    emptied = fit(everyone).moved_to(without).log_posteriors(records.x)
    np.testing.assert_allclose(emptied[:, 1], np.log(FLOOR))
    np.testing.assert_allclose(emptied, fit(without).log_posteriors(records.x), atol=1e-9)
    filled = fit(without).moved_to(everyone).log_posteriors(records.x)
    np.testing.assert_allclose(filled, fit(everyone).log_posteriors(records.x), atol=1e-9)


def test_no_digits_are_lost_far_from_zero() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    near, far = (ClassSums.of(x + shift, np.arange(50) % 2, 2).variance for shift in (0.0, 1e7))
    np.testing.assert_allclose(far, near, rtol=1e-7)  # the records themselves are rounded to 1e-9


def test_a_constant_feature_tells_nothing_however_far_a_record_is_from_it(blobs: Blobs) -> None:
    records = blobs()
    wide = replace(records, x=np.column_stack([records.x, np.full(len(records), 0.1)]))
    asked = wide.x.copy()
    asked[:, -1] = 1e15
    answer = fit(all_of(wide)).log_posteriors(asked)
    np.testing.assert_array_equal(answer, fit(all_of(wide)).log_posteriors(wide.x))
    np.testing.assert_allclose(answer, fit(all_of(records)).log_posteriors(records.x), atol=1e-9)


def test_a_number_whose_square_is_too_large_is_refused(blobs: Blobs) -> None:
    records = blobs()
    x = records.x.copy()
    x[149, 2] = 1e200
    huge = replace(records, x=x)
    few = fit(TrainingSet.of(huge, np.arange(100)))
    for train in (fit, few.moved_to):
        with pytest.raises(UserError, match=r"feature 2 is 1e\+200, too large to square"):
            train(all_of(huge))


def test_the_last_record_cannot_go(blobs: Blobs) -> None:
    records = blobs()
    with pytest.raises(UserError, match="no record left"):
        fit(all_of(records)).moved_to(TrainingSet.of(records, []))
