"""The method's arithmetic, and all that unlearnbench asks of an unlearner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from unlearnbench import (
    Deletion,
    HasModule,
    Original,
    Provenance,
    Records,
    SeedPath,
    Step,
    TargetModel,
    TrainingSet,
    UserError,
    load_registry,
)
from unlearnbench.hooks.parameters import build

from unlearnbench_neggrad_plus.neggrad_plus import NegGradPlus

pytest_plugins = ["unlearnbench.testing.pytest_plugin"]
unlearnbench_plugins = "unlearnbench-neggrad-plus"


def test_conformance(conformance_check: Callable[[], None]) -> None:
    conformance_check()


@pytest.fixture(scope="module")
def mlp() -> TargetModel:
    model = build(load_registry().get("model", "mlp"), {"hidden": [16], "epochs": 20, "batch_size": 16})
    assert isinstance(model, TargetModel)
    return model


@pytest.fixture(scope="module")
def records() -> Records:
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    return Records("two", rng.normal(size=(80, 3)) + 1.5 * y[:, None], y, 2, Provenance("made up", "public domain"))


def loss_before_and_after(unlearner: NegGradPlus, mlp: TargetModel, records: Records, of: range) -> list[float]:
    """Return the mean cross-entropy, in nats, of some records before and after ten are forgotten."""
    data = TrainingSet.of(records, range(80))
    state = unlearner.prepare(Original(mlp, data, SeedPath(0)))
    after = unlearner.serve(state, Step(np.arange(10)), SeedPath(1))
    answers = [each.fitted.log_posteriors(records.x[of]) for each in (state, after)]
    return [-float(each[range(len(of)), records.y[of]].mean()) for each in answers]


def test_the_forget_set_is_climbed(mlp: TargetModel, records: Records) -> None:
    before, after = loss_before_and_after(NegGradPlus(alpha=0.0, epochs=30), mlp, records, range(10))
    assert after > before + 0.05


def test_the_retain_set_is_descended(mlp: TargetModel, records: Records) -> None:
    before, after = loss_before_and_after(NegGradPlus(alpha=1.0, epochs=20), mlp, records, range(10, 80))
    assert after < before


def test_with_an_alpha_of_one_the_forget_set_is_not_looked_at(mlp: TargetModel, records: Records) -> None:
    original = Original(mlp, TrainingSet.of(records, range(80)), SeedPath(0))
    retain = TrainingSet.of(records, range(10, 80))
    one, other = (
        NegGradPlus(alpha=1.0).unlearn(Deletion(original.fitted, retain, forgotten, original, SeedPath(0)))
        for forgotten in (TrainingSet.of(records, ids) for ids in (range(5), range(5, 10)))
    )
    assert np.array_equal(one.log_posteriors(records.x), other.log_posteriors(records.x))


def test_one_step_is_the_gradient_of_the_formula(mlp: TargetModel, records: Records) -> None:
    """Worked out for the biases of the last layer: their gradient by CE is the mean of p - onehot(y)."""
    original = Original(mlp, TrainingSet.of(records, range(80)), SeedPath(0))
    fitted = original.fitted
    retain, forget = TrainingSet.of(records, range(10, 80)), TrainingSet.of(records, range(10))
    unlearner = NegGradPlus(alpha=0.7, learning_rate=0.1, epochs=1, batch_size=1000)
    moved = unlearner.unlearn(Deletion(fitted, retain, forget, original, SeedPath(0)))

    def gradient(part: TrainingSet) -> NDArray[np.float64]:
        return np.asarray((np.exp(fitted.log_posteriors(part.x)) - np.eye(2)[part.y]).mean(axis=0))

    step = -0.1 * (0.7 * gradient(retain) - 0.3 * gradient(forget))
    assert isinstance(fitted, HasModule)
    assert isinstance(moved, HasModule)
    biases = [list(model.module.parameters())[-1].detach().numpy() for model in (fitted, moved)]
    assert biases[1] - biases[0] == pytest.approx(step, abs=1e-5)


def test_a_model_without_a_module_is_refused() -> None:
    tree = build(load_registry().get("model", "decision-tree"), {})
    assert isinstance(tree, TargetModel)
    assert "needs a network" in str(NegGradPlus().refusal(tree))


def test_weights_that_overflow_are_told_in_one_line(mlp: TargetModel, records: Records) -> None:
    with pytest.raises(UserError, match="overflowed"):
        loss_before_and_after(NegGradPlus(alpha=0.0, learning_rate=1e30, epochs=9), mlp, records, range(10))
