from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.unlearners.exact.forest_exact import ForestExact
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner

REQUESTS = [
    Request((Step(np.array([3])),)),
    Request((Step(np.array([8, 11]), np.array([50])), Step(np.array([1])))),
]


def answers(method: Unlearner, model: TargetModel, data: TrainingSet, engine: Engine) -> NDArray[np.float64]:
    state = method.prepare(Original(model, data, SeedPath(2) / "train", engine=engine))
    chains = method.serve_all(state, REQUESTS, SeedPath(2) / "serve")
    return np.stack([each.fitted.log_posteriors(data.records.x) for chain in chains for each in chain])


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_the_mended_forest_is_bitwise_the_one_that_never_saw_the_record(data: TrainingSet, engine: Engine) -> None:
    model = RandomForest(n_estimators=8, min_samples_leaf=2)
    mended = answers(ForestExact(), model, data, engine)
    for order in ("slot", "compact"):
        np.testing.assert_array_equal(mended, answers(Retrain("same", order), model, data, engine))


def test_another_model_or_a_forest_that_draws_anew_is_refused() -> None:
    assert ForestExact().refusal(RandomForest()) is None
    for model in (DecisionTree(), RandomForest(draws="redrawn")):
        assert ForestExact().refusal(model) == "forest-exact goes with random-forest and draws: keyed only"
