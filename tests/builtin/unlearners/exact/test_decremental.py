from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.naive_bayes import NaiveBayes
from unlearnbench.builtin.models.nearest_neighbours import NearestNeighbours
from unlearnbench.builtin.models.ridge import Ridge
from unlearnbench.builtin.unlearners.exact.decremental import DecrementalUnlearning
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import FitTask, Fitted, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner

REQUESTS = [
    Request((Step(np.array([3])),)),
    Request((Step(np.array([8, 11]), np.array([50])), Step(np.array([50, 1])))),
]
MODELS = {
    "naive-bayes": (NaiveBayes(), 1e-11),
    "nearest-neighbours": (NearestNeighbours(), 0.0),
    "ridge": (Ridge(), 1e-10),
}


def answers(method: Unlearner, model: TargetModel, data: TrainingSet) -> NDArray[np.float64]:
    state = method.prepare(Original(model, data, SeedPath(2) / "train"))
    chains = method.serve_all(state, REQUESTS, SeedPath(2) / "serve")
    return np.stack([each.fitted.log_posteriors(data.records.x) for chain in chains for each in chain])


@pytest.mark.parametrize(("model", "rounding"), MODELS.values(), ids=MODELS.keys())
def test_every_version_is_the_model_that_never_saw_the_records(
    model: TargetModel, rounding: float, data: TrainingSet
) -> None:
    moved, retrained = (answers(method, model, data) for method in (DecrementalUnlearning(), Retrain()))
    np.testing.assert_allclose(moved, retrained, rtol=0, atol=rounding)


@pytest.mark.parametrize("model", [model for model, _ in MODELS.values()], ids=MODELS.keys())
def test_nothing_is_trained(model: TargetModel, data: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    method = DecrementalUnlearning()
    state = method.prepare(Original(model, data, SeedPath(2) / "train"))

    def trained(self: TargetModel, task: FitTask, device: str) -> Fitted:
        raise AssertionError("it was trained again")

    monkeypatch.setattr(type(model), "fit", trained)
    assert len(method.serve_all(state, REQUESTS, SeedPath(2) / "serve")) == 2


def test_a_model_that_must_be_trained_again_is_refused() -> None:
    assert DecrementalUnlearning().refusal(DecisionTree()) == "DecisionTree must be trained again to forget a record"
    assert DecrementalUnlearning().refusal(NaiveBayes()) is None


def test_a_request_reads_the_forgotten_records_alone(data: TrainingSet) -> None:
    method = DecrementalUnlearning()
    state = method.prepare(Original(NaiveBayes(), data, SeedPath(2) / "train"))
    assert method.serve(state, Step(np.array([3, 8])), SeedPath(2)).passes == 2 / 38
