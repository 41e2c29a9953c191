from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from unlearnbench.builtin.models.simple_cnn.fitted import FittedCNN
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.engine.networks.training import Precision
from unlearnbench.engine.scaling import Scaler
from unlearnbench.engine.sklearn_model import Constant

SMALL = SimpleCNN(epochs=1, batch_size=16)
Train = Callable[[SimpleCNN, FitTask], Any]
"""Returns a network that one of the engines trained."""

ENGINES: dict[str, Train] = {
    "fit": lambda model, task: model.fit(task, "cpu"),
    "fit_many": lambda model, task: model.fit_many([task], "cpu")[0],
}
every_engine = pytest.mark.parametrize("train", ENGINES.values(), ids=ENGINES.keys())


def stripes(n: int = 80, shape: tuple[int, ...] = (8, 8), seed: int = 0) -> Records:
    """Return noisy images with a bright row, whose place is the class of three."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    x = rng.normal(100, 20, size=(n, *shape))
    x[np.arange(n), 2 * y + 1] += 60
    return Records("stripes", x, y, 3, Provenance("made up", "none"))


def task_of(records: Records, seeds: Seeds, forget: ArrayLike = (), order: Order = "slot") -> FitTask:
    data = TrainingSet.of(records, np.arange(len(records)))
    return FitTask(data.after(Step(np.array(forget)), order) if np.size(forget) else data, seeds)


def weights(fitted: FittedCNN) -> np.ndarray:
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in fitted.module.parameters()])


def posteriors(fitted: FittedCNN, x: NDArray[np.float64]) -> np.ndarray:
    return np.exp(fitted.log_posteriors(x))


@every_engine
@pytest.mark.parametrize("shape", [(8, 8), (6, 9), (7, 8, 1), (8, 8, 3)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_images_of_any_size_and_number_of_channels_get_normalized_posteriors(
    train: Train, shape: tuple[int, ...], precision: Precision, seeds: Seeds
) -> None:
    records = stripes(20, shape)
    answer = train(replace(SMALL, precision=precision), task_of(records, seeds)).log_posteriors(records.x)
    assert answer.shape == (20, 3)
    assert answer.dtype == np.float64
    np.testing.assert_allclose(np.exp(answer).sum(axis=1), 1, atol=1e-12)


@every_engine
@pytest.mark.parametrize("how", [{}, {"precision": "bf16"}, {"optimizer": "sgd", "learning_rate": 0.1}])
def test_it_learns(train: Train, how: dict[str, Any], seeds: Seeds) -> None:
    records = stripes(200)
    task = FitTask(TrainingSet.of(records, np.arange(100)), seeds)
    fitted = train(replace(SMALL, epochs=6, **how), task)
    assert (fitted.log_posteriors(records.x[100:]).argmax(axis=1) == records.y[100:]).mean() > 0.8


@every_engine
def test_grey_images_may_come_with_or_without_their_channel(train: Train, seeds: Seeds) -> None:
    flat = stripes()
    one_channel = replace(flat, x=flat.x[..., np.newaxis])
    assert np.array_equal(
        weights(train(SMALL, task_of(flat, seeds))), weights(train(SMALL, task_of(one_channel, seeds)))
    )


@every_engine
def test_features_that_are_no_image_and_images_too_small_are_errors(train: Train, seeds: Seeds) -> None:
    table = replace(stripes(), x=stripes().x.reshape(-1, 64))
    with pytest.raises(UserError, match=r"needs images.*not \(64,\).*take mlp"):
        train(SMALL, task_of(table, seeds))
    with pytest.raises(UserError, match=r"6 x 6 pixels at least, not \(7, 5\)"):
        train(SMALL, task_of(replace(table, x=stripes().x[:, :7, :5]), seeds))


@every_engine
def test_no_record_left_and_weights_that_overflow_are_errors(train: Train, seeds: Seeds) -> None:
    records = stripes(30)
    with pytest.raises(UserError, match="no record left"):
        train(SMALL, task_of(records, seeds, np.arange(30)))
    with pytest.raises(UserError, match="lower learning_rate"):
        train(SimpleCNN(optimizer="sgd", learning_rate=1e30, batch_size=8), task_of(records, seeds))


@every_engine
def test_each_channel_is_scaled_by_its_own_mean_and_deviation(train: Train, seeds: Seeds) -> None:
    plain = stripes(shape=(8, 8, 3))
    records = replace(plain, x=plain.x * [1, 7, 1])
    standardizer = train(SMALL, task_of(records, seeds)).standardizer
    np.testing.assert_allclose(standardizer.mean, records.x.mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(standardizer.scale, records.x.std(axis=(0, 1, 2)))


@pytest.mark.parametrize(("scaler", "rows"), [("original", slice(None)), ("refit", slice(1, None))])
def test_the_scaler_is_the_original_s_or_refitted(scaler: Scaler, rows: slice, seeds: Seeds) -> None:
    records = stripes()
    fitted = SMALL.fit(task_of(records, seeds), "cpu")
    unlearned = replace(SMALL, scaler=scaler).fit(task_of(records, seeds, [0]), "cpu")
    np.testing.assert_allclose(unlearned.standardizer.mean, records.x[rows].mean())
    assert np.array_equal(unlearned.standardizer.mean, fitted.standardizer.mean) is (scaler == "original")


@every_engine
def test_a_masked_record_has_no_influence(train: Train, seeds: Seeds) -> None:
    records = stripes()
    x, y = records.x.copy(), records.y.copy()
    x[5], y[5] = -1e4, (y[5] + 1) % 3
    other = replace(records, x=x, y=y)
    model = replace(SMALL, scaler="refit")
    one, two = (weights(train(model, task_of(each, seeds, [5]))) for each in (records, other))
    assert np.array_equal(one, two)


def test_a_deleted_record_takes_its_draws_along_and_leaves_those_of_others(seeds: Seeds) -> None:
    """One batch of all records and one step: the deletion changes the gradient by that record's share alone."""
    records = stripes(12)
    sgd = SimpleCNN(epochs=1, batch_size=12, optimizer="sgd", learning_rate=1e-3)
    tasks = [task_of(records, seeds), *(task_of(records, seeds, [i]) for i in range(12))]
    full, *without = (weights(sgd.fit(task, "cpu")).astype(np.float64) for task in tasks)
    # Each record is in eleven of the twelve means over eleven, so these means have the mean over all as their mean.
    np.testing.assert_allclose(np.mean(without, axis=0), full, atol=1e-7)


@every_engine
def test_slot_and_compact_are_one_model_where_one_batch_holds_all(train: Train, seeds: Seeds) -> None:
    whole = replace(SMALL, batch_size=80)
    slot, compact = (train(whole, task_of(stripes(), seeds, [9], order)) for order in ("slot", "compact"))
    np.testing.assert_array_equal(weights(slot), weights(compact))


@every_engine
@pytest.mark.parametrize("seed", [{"init": 5}, {"order": 5}])
def test_both_seeds_count(train: Train, seed: dict[str, int], seeds: Seeds) -> None:
    one, two = (weights(train(SMALL, task_of(stripes(), each))) for each in (seeds, replace(seeds, **seed)))
    assert not np.array_equal(one, two)


@every_engine
def test_the_order_seed_draws_what_is_dropped_too(train: Train, seeds: Seeds) -> None:
    """One batch of all records: the order cannot matter but by rounding, the draws do."""
    whole = replace(SMALL, batch_size=80, optimizer="sgd", learning_rate=0.1)
    one, two = (weights(train(whole, task_of(stripes(), each))) for each in (seeds, replace(seeds, order=5)))
    assert np.abs(one - two).max() > 1e-4


@every_engine
def test_training_goes_on_from_a_start_and_leaves_it_alone(train: Train, seeds: Seeds) -> None:
    records = stripes()
    first = train(SMALL, FitTask(TrainingSet.of(records, np.arange(40)), seeds))
    before = weights(first).copy()
    task = FitTask(TrainingSet.of(records, np.arange(80)), seeds, first)
    second = train(SMALL, task)
    assert np.array_equal(weights(first), before)
    assert not np.array_equal(weights(second), before)
    assert second.standardizer is first.standardizer
    assert np.array_equal(weights(second), weights(train(SMALL, replace(task, seeds=replace(seeds, init=9)))))
    nothing = replace(task, data=task.data.after(Step(np.arange(80))))
    assert np.array_equal(weights(train(SMALL, nothing)), before)
    with pytest.raises(UserError, match="not from Constant"):
        train(SMALL, replace(task, start=Constant(0, 3)))


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 2e-6), ("bf16", 1e-2)])
@pytest.mark.parametrize("order", ["slot", "compact"])
@pytest.mark.parametrize("how", [{}, {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.01}])
def test_after_an_epoch_the_fast_path_agrees_with_the_reference(
    precision: Precision, bound: float, order: Order, how: dict[str, Any], seeds: Seeds
) -> None:
    records = stripes(shape=(12, 12, 3))
    task = task_of(records, seeds, [3, 40], order)
    slow, fast = (train(replace(SMALL, precision=precision, **how), task) for train in ENGINES.values())
    np.testing.assert_allclose(posteriors(fast, records.x), posteriors(slow, records.x), atol=bound)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_network_is_the_same_bits_alone_and_in_company(precision: Precision, seeds: Seeds) -> None:
    records, model = stripes(40), replace(SMALL, precision=precision)
    tasks = [task_of(records, seeds, [i]) for i in (1, 2)] + [task_of(records, Seeds(7, 8, 9))]
    alone = [weights(model.fit_many([task], "cpu")[0]) for task in tasks]
    together = [weights(fitted) for fitted in model.fit_many(tasks[::-1], "cpu")[::-1]]
    assert all(map(np.array_equal, alone, together))
    assert model.fit_many([], "cpu") == []


def test_the_fast_path_gives_models_of_the_same_kind_as_the_reference(seeds: Seeds) -> None:
    """A start may come from either engine, and what looks into a network finds it as the reference leaves it."""
    import torch

    slow, fast = (train(SMALL, task_of(stripes(), seeds)) for train in ENGINES.values())
    assert type(slow) is type(fast)
    assert all(parameter.is_contiguous() for parameter in fast.module.parameters())
    assert {parameter.dtype for parameter in fast.module.parameters()} == {torch.float32}
    assert all(parameter.grad is None for parameter in fast.module.parameters())


@every_engine
def test_training_and_asking_change_neither_records_nor_global_generators(train: Train, seeds: Seeds) -> None:
    import torch

    records = stripes()
    x, state = records.x.copy(), torch.get_rng_state()
    train(SMALL, task_of(records, seeds)).log_posteriors(records.x)
    assert np.array_equal(records.x, x)
    assert torch.equal(torch.get_rng_state(), state)


def test_answers_do_not_depend_on_what_is_asked_beside(seeds: Seeds) -> None:
    records = stripes(300)
    fitted = SMALL.fit(task_of(stripes(), seeds), "cpu")
    together = fitted.log_posteriors(records.x)
    np.testing.assert_allclose(fitted.log_posteriors(records.x[[290]]), together[[290]], atol=1e-5)
    assert fitted.log_posteriors(records.x[:0]).shape == (0, 3)


def test_importing_it_imports_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, unlearnbench.builtin.models.simple_cnn.model; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"  # noqa: S603 - our own code
