"""Records that a step adds: the fast engine learns from them as the plain one does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.models import FitTask, Fitted, Seeds, TargetModel
from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath

RECORDS = BreastCancer().load()
ORIGINAL = TrainingSet.of(RECORDS, np.arange(0, 300, 2))
SEEDS = Seeds.at(SeedPath(0) / "train")
STEPS = [
    Step(np.array([0]), np.array([1])),
    Step(np.array([4, 10]), np.array([401, 7, 403])),
    Step(np.array([8])),
    Step(np.array([], dtype=np.int64), np.array([333])),
]


def tasks(order: Order = "slot") -> list[FitTask]:
    return [FitTask(data, SEEDS) for data in (ORIGINAL, *(ORIGINAL.after(step, order) for step in STEPS))]


def answers(fitted: Sequence[Fitted]) -> NDArray[np.float64]:
    return np.asarray(np.exp([one.log_posteriors(RECORDS.x) for one in fitted]))


@pytest.mark.parametrize("order", ["slot", "compact"])
@pytest.mark.parametrize(
    ("model", "bound"), [(LogisticRegression(), 1e-8), (MLP(hidden=(16,), epochs=1), 1e-4)], ids=repr
)
def test_the_fast_engine_agrees_with_the_plain_one(model: TargetModel, bound: float, order: Order) -> None:
    fast = answers(model.fit_many(tasks(order), "cpu"))
    plain = answers([model.fit(task, "cpu") for task in tasks(order)])
    assert np.abs(fast - plain).max() < bound
    assert np.abs(plain[1] - plain[0]).max() > 10 * bound


def untied(n: int = 240) -> Records:
    """Records without two splits of one gain, on which trees of both engines are the same."""
    rng = np.random.default_rng(5)
    x = np.column_stack([rng.normal(size=n), rng.normal(size=n) * 3])
    y = ((x[:, 0] + x[:, 1] / 3 + 0.3 * rng.normal(size=n)) > 0).astype(np.int64)
    return Records("untied", x, y, 2, Provenance("made up", "CC0"))


def test_trees_of_few_leaves_are_the_same_in_both_engines() -> None:
    records = untied()
    original = TrainingSet.of(records, np.arange(0, 240, 2))
    some = [FitTask(original.after(Step(np.array([2 * k]), np.array([2 * k + 1]))), SEEDS) for k in range(20)]
    model = DecisionTree(max_leaf_nodes=4)
    fast = [one.log_posteriors(records.x) for one in model.fit_many(some, "cpu")]
    plain = [model.fit(task, "cpu").log_posteriors(records.x) for task in some]
    assert np.allclose(np.exp(fast), np.exp(plain), atol=1e-12)
    assert len({answer.tobytes() for answer in fast}) > 1


MODELS = [
    DecisionTree(max_leaf_nodes=3),
    RandomForest(n_estimators=20, min_samples_leaf=3),
    LogisticRegression(),
    MLP((16,), 2),
]


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_a_step_that_adds_gives_the_same_model_alone_and_among_others_bitwise(
    model: TargetModel,
) -> None:
    together = answers(model.fit_many(tasks(), "cpu"))
    alone = answers([model.fit_many([task], "cpu")[0] for task in tasks()])
    assert np.array_equal(together, alone)


@pytest.mark.parametrize("model", MODELS, ids=repr)
def test_who_is_added_is_learned_from(model: TargetModel) -> None:
    """A step that adds is not the same as one that only deletes, and what was added can be deleted again."""
    added = ORIGINAL.after(Step(np.array([4]), np.arange(301, 341, 2)))
    deleted = ORIGINAL.after(Step(np.array([4])))
    undone = added.after(Step(np.arange(301, 341, 2)), "compact")
    first, second, third = answers(model.fit_many([FitTask(data, SEEDS) for data in (added, deleted, undone)], "cpu"))
    assert np.abs(first - second).max() > 1e-3
    if not isinstance(model, MLP):  # a network's batches move when a masked place is closed up
        assert np.allclose(second, third, atol=1e-8)


def test_forests_of_both_engines_put_the_added_into_the_same_bags() -> None:
    """Trees of one leaf answer the class shares of their bag: without splits both engines are one forest."""
    model = RandomForest(n_estimators=20, min_samples_leaf=140)
    fast = answers(model.fit_many(tasks(), "cpu"))
    plain = answers([model.fit(task, "cpu") for task in tasks()])
    assert np.allclose(fast, plain, atol=1e-12)
    assert np.abs(plain[1] - plain[0]).max() > 1e-4
