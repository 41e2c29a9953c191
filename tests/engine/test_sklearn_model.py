from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.posteriors import FLOOR
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine.sklearn_model import Constant, SklearnFitted, SklearnModel, as_table

RECORDS = Records("r", np.arange(24.0).reshape(12, 1, 2), np.arange(12) % 3, 3, Provenance("", ""))
SEEDS = Seeds(5, 6, 7)


@dataclass(frozen=True)
class Neighbours(SklearnModel):
    """What an author writes to bring in a classifier of scikit-learn's."""

    n_neighbors: int = 1

    def estimator(self, seed: int) -> object:
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(self.n_neighbors)


@dataclass(frozen=True)
class Recorder(SklearnModel):
    """Records what its estimators are fitted on."""

    def estimator(self, seed: int) -> RecordingEstimator:
        return RecordingEstimator(seed)


class RecordingEstimator:
    classes_ = np.array([0, 2])

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, x: NDArray[np.float64], y: NDArray[np.int64]) -> RecordingEstimator:
        self.given = (self.seed, x, y)
        return self

    def predict_proba(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.tile([0.25, 0.75], (len(x), 1))


def given(fitted: Fitted) -> tuple[int, NDArray[np.float64], NDArray[np.int64]]:
    """Return the seed, the features and the labels that a recording estimator was fitted on."""
    assert isinstance(fitted, SklearnFitted)
    assert isinstance(fitted.estimator, RecordingEstimator)
    return fitted.estimator.given


def test_an_estimator_is_all_an_author_writes() -> None:
    fitted = Neighbours().fit(FitTask(TrainingSet.of(RECORDS, np.arange(12)), SEEDS), "cpu")
    assert (fitted.log_posteriors(RECORDS.x).argmax(axis=1) == RECORDS.y).all()


def test_the_estimator_gets_the_init_seed_and_the_kept_records_in_training_order_as_a_table() -> None:
    data = TrainingSet.of(RECORDS, [7, 2, 3, 9]).after(Step(np.array([2])))
    seed, x, y = given(Recorder().fit(FitTask(data, SEEDS), "cpu"))
    assert seed == 5
    assert x.tolist() == [[14.0, 15.0], [6.0, 7.0], [18.0, 19.0]]
    assert y.tolist() == [1, 0, 0]


def test_classes_that_were_lacking_get_the_floor() -> None:
    fitted = Recorder().fit(FitTask(TrainingSet.of(RECORDS, [0, 2]), SEEDS), "cpu")
    np.testing.assert_allclose(np.exp(fitted.log_posteriors(RECORDS.x[:1])), [[0.25, FLOOR, 0.75]])


def test_one_label_is_answered_without_asking_the_estimator() -> None:
    fitted = Recorder().fit(FitTask(TrainingSet.of(RECORDS, [1, 4]), SEEDS), "cpu")
    assert fitted == Constant(1, 3)
    np.testing.assert_allclose(np.exp(fitted.log_posteriors(RECORDS.x[:2])), [[FLOOR, 1, FLOOR]] * 2)


def test_no_record_left_is_an_error_that_says_what_to_do() -> None:
    data = TrainingSet.of(RECORDS, [1]).after(Step(np.array([1])))
    with pytest.raises(UserError, match="delete fewer records"):
        Neighbours().fit(FitTask(data, SEEDS), "cpu")


def test_many_models_come_back_in_the_order_of_their_tasks() -> None:
    tasks = [FitTask(TrainingSet.of(RECORDS, [k, k + 1]), SEEDS) for k in (4, 0, 2)]
    assert [given(fitted)[1][0, 0] for fitted in Recorder().fit_many(tasks, "cpu")] == [8.0, 0.0, 4.0]


def test_a_table_of_no_rows_keeps_its_width() -> None:
    assert as_table(np.empty((0, 2, 3))).shape == (0, 6)
