from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import FitTask, Seeds, TargetModel
from unlearnbench.core.records import Order, Step, TrainingSet
from unlearnbench.engine.scaling import Standardizer

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


def test_standardized_features_have_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).normal(3e6, 40, size=(500, 3))
    z = Standardizer.of(x)(x)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9])
def test_a_constant_feature_is_shifted_only(value: float) -> None:
    fitted = Standardizer.of(np.full((30, 1), value))
    assert fitted.scale == 1.0
    np.testing.assert_allclose(fitted(np.array([[value + 2.0]])), 2.0, rtol=1e-6)


def test_a_feature_of_small_but_real_spread_is_scaled() -> None:
    x = np.array([[1.0], [1.0 + 1e-9]])
    np.testing.assert_allclose(np.abs(Standardizer.of(x)(x)), 1.0, rtol=1e-6)


def test_original_takes_statistics_from_the_original_training_set_deleted_records_included(
    blobs: Blobs,
) -> None:
    data = TrainingSet.of(blobs(), np.arange(50))
    after = data.after(Step(np.arange(9), np.arange(60, 70))).after(Step(np.array([12])))
    fitted = Standardizer.for_training(after, "original")
    assert np.array_equal(fitted.mean, Standardizer.of(data.x).mean)
    assert np.array_equal(fitted.scale, Standardizer.of(data.x).scale)


@pytest.mark.parametrize("order", ["slot", "compact"])
def test_refit_takes_statistics_from_the_records_that_are_left(blobs: Blobs, order: Order) -> None:
    after = TrainingSet.of(blobs(), np.arange(50)).after(Step(np.arange(9), np.array([70])), order)
    expected = Standardizer.of(blobs().x[[*range(9, 50), 70]])
    assert np.array_equal(Standardizer.for_training(after, "refit").mean, expected.mean)


@pytest.mark.parametrize("model", [LogisticRegression, lambda **k: MLP(hidden=(4,), epochs=1, **k)])
def test_the_two_scalers_agree_on_an_original_and_differ_after_a_deletion(
    model: Callable[..., TargetModel], blobs: Blobs, seeds: Seeds
) -> None:
    records = blobs(n=60)
    data = TrainingSet.of(records, np.arange(60))

    def answer(data: TrainingSet, scaler: str) -> NDArray[np.float64]:
        return model(scaler=scaler).fit(FitTask(data, seeds), "cpu").log_posteriors(records.x)

    assert np.array_equal(answer(data, "original"), answer(data, "refit"))
    after = data.after(Step(np.array([3])))
    assert not np.array_equal(answer(after, "original"), answer(after, "refit"))
