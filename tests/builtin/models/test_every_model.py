"""What the conformance kit cannot know about the built-in target models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.naive_bayes import NaiveBayes
from unlearnbench.builtin.models.nearest_neighbours import NearestNeighbours
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.builtin.models.ridge import Ridge
from unlearnbench.core.models import FitTask, Fitted, HasRegions, Seeds, TargetModel
from unlearnbench.core.posteriors import FLOOR
from unlearnbench.core.records import Records, Step, TrainingSet

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


MODELS: dict[str, TargetModel] = {
    "logistic-regression": LogisticRegression(scaler="refit"),
    "decision-tree": DecisionTree(),
    "decision-tree, fully grown": DecisionTree(max_leaf_nodes=None),
    "random-forest, keyed": RandomForest(n_estimators=7, min_samples_leaf=3),
    "random-forest, redrawn": RandomForest(n_estimators=7, min_samples_leaf=3, draws="redrawn"),
    "mlp": MLP(hidden=(8,), epochs=2, batch_size=32, scaler="refit"),
    "lightgbm": LightGBM(n_estimators=5),
    "naive-bayes": NaiveBayes(),
    "nearest-neighbours": NearestNeighbours(),
    "ridge": Ridge(),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
every_model_with_slots = pytest.mark.parametrize(
    "model",
    [m for m in MODELS.values() if "slot" in m.orders],
    ids=[n for n, m in MODELS.items() if "slot" in m.orders],
)


def train(model: TargetModel, data: TrainingSet, seeds: Seeds) -> Fitted:
    return model.fit(FitTask(data, seeds), "cpu")


def all_of(records: Records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(len(records)))


@every_model
def test_a_model_has_learned_something(model: TargetModel, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=600)
    model = replace(model, epochs=40) if isinstance(model, MLP) else model
    fitted = train(model, TrainingSet.of(records, np.arange(300)), seeds)
    assert (fitted.log_posteriors(records.x[300:]).argmax(axis=1) == records.y[300:]).mean() > 0.5


@every_model
def test_a_class_that_is_lacking_keeps_its_column_at_next_to_nothing(
    model: TargetModel, blobs: Blobs, seeds: Seeds
) -> None:
    records = blobs(n_classes=4)
    fitted = train(model, TrainingSet.of(records, np.flatnonzero(records.y != 1)), seeds)
    answer = np.exp(fitted.log_posteriors(records.x))
    assert answer.shape == (150, 4)
    if isinstance(model, MLP):  # a network has an output for it, which it has been taught not to use
        assert (answer[:, 1] < 0.5).all()
    else:
        np.testing.assert_allclose(answer[:, 1], FLOOR)
    assert (answer[:, [0, 2, 3]].max(axis=0) > 0.2).all()


@every_model
def test_two_classes_left_of_three_end_in_the_right_columns(model: TargetModel, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=300)
    model = replace(model, epochs=40) if isinstance(model, MLP) else model
    kept = np.flatnonzero(records.y != 1)
    answer = train(model, TrainingSet.of(records, kept), seeds).log_posteriors(records.x[kept])
    assert (answer.argmax(axis=1) == records.y[kept]).mean() > 0.6


@every_model
def test_one_class_alone_is_answered_with_that_class(model: TargetModel, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    model = replace(model, epochs=200) if isinstance(model, MLP) else model
    answer = train(model, TrainingSet.of(records, np.flatnonzero(records.y == 2)), seeds).log_posteriors(records.x)
    assert np.isfinite(answer).all()
    assert (answer.argmax(axis=1) == 2).mean() > (0.8 if isinstance(model, MLP) else 0.999)


@every_model
def test_records_may_have_any_shape(model: TargetModel, blobs: Blobs, seeds: Seeds) -> None:
    flat = blobs(d=4)
    square = replace(flat, x=flat.x.reshape(-1, 2, 2))
    assert np.array_equal(
        train(model, all_of(flat), seeds).log_posteriors(flat.x),
        train(model, all_of(square), seeds).log_posteriors(square.x),
    )


@pytest.mark.parametrize(
    ("name", "use"), [(name, use) for name, model in MODELS.items() for use in sorted(model.seeds_used)]
)
def test_a_seed_that_is_declared_changes_something(name: str, use: str, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    noisy = replace(records, x=np.column_stack([records.x.round(-1)] * 2))  # coarse and doubled: many tied splits
    asked = noisy.x.copy()
    asked[:, 4:] = asked[::-1, 4:]
    answers = [
        train(MODELS[name], all_of(noisy), replace(seeds, **{use: seed})).log_posteriors(asked) for seed in range(4)
    ]
    assert any(not np.array_equal(answers[0], answer) for answer in answers[1:])


@every_model_with_slots
def test_masking_a_record_is_not_the_same_as_keeping_it(model: TargetModel, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    data = all_of(records)
    before = train(model, data, seeds).log_posteriors(records.x)
    after = train(model, data.after(Step(np.arange(20)), "slot"), seeds).log_posteriors(records.x)
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("name", [n for n, m in MODELS.items() if "slot" in m.orders and n != "mlp"])
def test_slot_and_compact_are_one_model_where_order_is_not_used(name: str, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    slot, compact = (
        train(MODELS[name], all_of(records).after(Step(np.array([7, 40])), order), seeds).log_posteriors(records.x)
        for order in ("slot", "compact")
    )
    assert np.array_equal(slot, compact)


def test_only_trees_have_regions(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    with_regions = {
        name for name, model in MODELS.items() if isinstance(train(model, all_of(records), seeds), HasRegions)
    }
    assert with_regions == {"decision-tree", "decision-tree, fully grown"}


def test_listing_the_models_imports_no_heavy_library() -> None:
    import subprocess
    import sys

    names = [
        "logistic_regression",
        "decision_tree",
        "random_forest",
        "lightgbm",
        "mlp",
        "naive_bayes",
        "nearest_neighbours",
        "ridge",
    ]
    code = "import sys; " + "; ".join(f"import unlearnbench.builtin.models.{name}" for name in names)
    code += "; print([m for m in ('sklearn', 'torch', 'lightgbm', 'scipy', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"  # noqa: S603 - our own code
