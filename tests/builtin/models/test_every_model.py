"""What holds for every built-in target model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.lightgbm import LightGBM
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, HasRegions, Seeds
from unlearnbench.core.posteriors import FLOOR
from unlearnbench.core.records import Step, TrainingSet

MODELS = {
    "logistic-regression": LogisticRegression(scaler="refit"),
    "decision-tree": DecisionTree(),
    "decision-tree, fully grown": DecisionTree(max_leaf_nodes=None),
    "random-forest, keyed": RandomForest(n_estimators=7, min_samples_leaf=3),
    "random-forest, redrawn": RandomForest(n_estimators=7, min_samples_leaf=3, draws="redrawn"),
    "mlp": MLP(hidden=(8,), epochs=2, batch_size=32, scaler="refit"),
    "lightgbm": LightGBM(n_estimators=5),
}
every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
every_model_with_places = pytest.mark.parametrize(
    "model",
    [m for m in MODELS.values() if "slot" in m.orders],
    ids=[n for n, m in MODELS.items() if "slot" in m.orders],
)


def train(model, data, seeds) -> Fitted:
    return model.fit(FitTask(data, seeds), "cpu")


def all_of(records) -> TrainingSet:
    return TrainingSet.of(records, np.arange(len(records)))


@every_model
@pytest.mark.parametrize("n_classes", [2, 3, 30])
def test_log_posteriors_are_finite_normalized_float64(model, n_classes, blobs, seeds):
    records = blobs(n=240, n_classes=n_classes)
    answer = train(model, all_of(records), seeds).log_posteriors(records.x)
    assert answer.shape == (240, n_classes)
    assert answer.dtype == np.float64
    assert np.isfinite(answer).all()
    np.testing.assert_allclose(np.exp(answer).sum(axis=1), 1, atol=1e-12)


@every_model
def test_a_model_has_learned_something(model, blobs, seeds):
    records = blobs(n=600)
    model = replace(model, epochs=40) if isinstance(model, MLP) else model
    fitted = train(model, TrainingSet.of(records, np.arange(300)), seeds)
    assert (fitted.log_posteriors(records.x[300:]).argmax(axis=1) == records.y[300:]).mean() > 0.5


@every_model
def test_training_twice_gives_the_same_bits(model, blobs, seeds):
    records = blobs()
    first, second = (train(model, all_of(records), seeds).log_posteriors(records.x) for _ in range(2))
    assert np.array_equal(first, second)


@every_model
def test_training_and_asking_leave_the_records_and_the_global_generators_alone(model, blobs, seeds):
    import torch

    records = blobs()
    x, y, numpy_state, torch_state = records.x.copy(), records.y.copy(), np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002 - the global generator is what must not move
    train(model, all_of(records), seeds).log_posteriors(records.x)
    assert np.array_equal(records.x, x)
    assert np.array_equal(records.y, y)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002 - as above
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.fixture(scope="module", params=MODELS.values(), ids=MODELS.keys())
def fitted_and_records(request):
    from unlearnbench.core.records import Provenance, Records

    rng = np.random.default_rng(1)
    records = Records("noise", 50 * rng.normal(size=(90, 3)) + 9, np.arange(90) % 3, 3, Provenance("made up", "none"))
    return train(request.param, all_of(records), Seeds(1, 2, 3)), records


@given(rows=st.lists(st.integers(0, 89), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_answered_for_a_record_does_not_depend_on_what_is_asked_beside_it(fitted_and_records, rows):
    fitted, records = fitted_and_records
    together = fitted.log_posteriors(records.x[rows])
    alone = np.concatenate([fitted.log_posteriors(records.x[[row]]) for row in rows])
    np.testing.assert_allclose(together, alone, atol=1e-5)  # float32 products may round by batch size


@every_model
def test_a_class_that_is_lacking_keeps_its_column_at_next_to_nothing(model, blobs, seeds):
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
def test_two_classes_left_of_three_end_in_the_right_columns(model, blobs, seeds):
    records = blobs(n=300)
    model = replace(model, epochs=40) if isinstance(model, MLP) else model
    kept = np.flatnonzero(records.y != 1)
    answer = train(model, TrainingSet.of(records, kept), seeds).log_posteriors(records.x[kept])
    assert (answer.argmax(axis=1) == records.y[kept]).mean() > 0.6


@every_model
def test_one_class_alone_is_answered_with_that_class(model, blobs, seeds):
    records = blobs()
    model = replace(model, epochs=200) if isinstance(model, MLP) else model
    answer = train(model, TrainingSet.of(records, np.flatnonzero(records.y == 2)), seeds).log_posteriors(records.x)
    assert np.isfinite(answer).all()
    assert (answer.argmax(axis=1) == 2).mean() > (0.8 if isinstance(model, MLP) else 0.999)


@every_model
def test_no_record_left_is_an_error_of_the_user(model, blobs, seeds):
    data = all_of(blobs(n=3)).after(Step(np.arange(3)), "fresh")
    with pytest.raises(UserError, match="no record left"):
        train(model, data, seeds)


@every_model
def test_records_may_have_any_shape(model, blobs, seeds):
    flat = blobs(d=4)
    square = replace(flat, x=flat.x.reshape(-1, 2, 2))
    assert np.array_equal(
        train(model, all_of(flat), seeds).log_posteriors(flat.x),
        train(model, all_of(square), seeds).log_posteriors(square.x),
    )


@every_model
def test_a_constant_feature_is_harmless(model, blobs, seeds):
    records = blobs()
    records = replace(records, x=np.column_stack([records.x, np.full(len(records), 0.1)]))
    asked = records.x + np.array([0, 0, 0, 0, 1e-3])
    assert np.isfinite(train(model, all_of(records), seeds).log_posteriors(asked)).all()


@every_model
def test_a_seed_that_is_not_declared_changes_nothing(model, blobs, seeds):
    records = blobs()
    other = Seeds(101, 202, 303)
    mixed = replace(other, **{name: getattr(seeds, name) for name in model.seeds_used})
    assert np.array_equal(
        train(model, all_of(records), seeds).log_posteriors(records.x),
        train(model, all_of(records), mixed).log_posteriors(records.x),
    )


@pytest.mark.parametrize(
    ("name", "use"), [(name, use) for name, model in MODELS.items() for use in sorted(model.seeds_used)]
)
def test_a_seed_that_is_declared_changes_something(name, use, blobs, seeds):
    records = blobs()
    noisy = replace(records, x=np.column_stack([records.x.round(-1)] * 2))  # coarse and doubled: many tied splits
    asked = noisy.x.copy()
    asked[:, 4:] = asked[::-1, 4:]
    answers = [
        train(MODELS[name], all_of(noisy), replace(seeds, **{use: seed})).log_posteriors(asked) for seed in range(4)
    ]
    assert any(not np.array_equal(answers[0], answer) for answer in answers[1:])


@every_model_with_places
def test_a_masked_record_has_no_influence(model, blobs, seeds):
    records = blobs()
    x, y = records.x.copy(), records.y.copy()
    x[5], y[5] = -1e6, (y[5] + 1) % 3
    answers = [
        train(model, all_of(each).after(Step(np.array([5])), "slot"), seeds).log_posteriors(records.x)
        for each in (records, replace(records, x=x, y=y))
    ]
    assert np.array_equal(*answers)


@every_model_with_places
def test_masking_a_record_is_not_the_same_as_keeping_it(model, blobs, seeds):
    records = blobs(n=60)
    data = all_of(records)
    before = train(model, data, seeds).log_posteriors(records.x)
    after = train(model, data.after(Step(np.arange(20)), "slot"), seeds).log_posteriors(records.x)
    assert not np.array_equal(before, after)


@pytest.mark.parametrize("name", [n for n, m in MODELS.items() if "slot" in m.orders and n != "mlp"])
def test_slot_and_compact_are_one_model_where_order_is_not_used(name, blobs, seeds):
    records = blobs()
    slot, compact = (
        train(MODELS[name], all_of(records).after(Step(np.array([7, 40])), order), seeds).log_posteriors(records.x)
        for order in ("slot", "compact")
    )
    assert np.array_equal(slot, compact)


def test_only_trees_have_regions(blobs, seeds):
    records = blobs()
    with_regions = {
        name for name, model in MODELS.items() if isinstance(train(model, all_of(records), seeds), HasRegions)
    }
    assert with_regions == {"decision-tree", "decision-tree, fully grown"}


def test_listing_the_models_imports_no_heavy_library():
    import subprocess
    import sys

    names = ["logistic_regression", "decision_tree", "random_forest", "lightgbm", "mlp"]
    code = "import sys; " + "; ".join(f"import unlearnbench.builtin.models.{name}" for name in names)
    code += "; print([m for m in ('sklearn', 'torch', 'lightgbm', 'scipy', 'pandas') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"  # noqa: S603 - our own code
