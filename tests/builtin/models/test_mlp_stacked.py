"""Dropout by both engines, and the stack of networks that trains with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from unlearnbench.builtin.models.mlp.fitted import FastMLP, FittedMLP, logits_under_dropout, network
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.options import DPSGD, TrainingOptions
from unlearnbench.core.records import Order, Records, Step, TrainingSet
from unlearnbench.engine.jit import usable
from unlearnbench.engine.scaling import Scaler
from unlearnbench.engine.sklearn_model import Constant

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


SMALL = MLP(hidden=(8, 6), epochs=1, batch_size=16)
HALF = TrainingOptions(dropout=0.5)
Train = Callable[[MLP, FitTask], Any]
"""Returns a network that one of the engines trained."""

ENGINES: dict[str, Train] = {
    "fit": lambda model, task: model.fit(task, "cpu"),
    "fit_many": lambda model, task: model.fit_many([task], "cpu")[0],
}
every_engine = pytest.mark.parametrize("train", ENGINES.values(), ids=ENGINES.keys())
kernels = pytest.mark.skipif(not usable(), reason="numba has no wheel for this platform")


def weights(fitted: Any) -> np.ndarray:
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in fitted.module.parameters()])


def posteriors(fitted: Fitted, x: NDArray[np.float64]) -> np.ndarray:
    return np.asarray(np.exp(fitted.log_posteriors(x)))


def task_of(
    records: Records,
    seeds: Seeds,
    forget: ArrayLike = (),
    order: Order = "slot",
    options: TrainingOptions = HALF,
) -> FitTask:
    data = TrainingSet.of(records, np.arange(150))
    return FitTask(data.after(Step(np.array(forget)), order) if np.size(forget) else data, seeds, options=options)


def mixed(records: Records, seeds: Seeds) -> list[FitTask]:
    """Return tasks that differ in what is deleted or added, in their sequence, and in their seeds."""
    data = TrainingSet.of(records, np.arange(150))
    sets = [data, *(data.after(Step(np.array([i])), order) for i in (3, 50) for order in ("slot", "compact"))]
    sets += [data.after(Step(np.array([1]), np.array([155]))), TrainingSet.of(records, np.arange(150)[::-1])]
    return [FitTask(each, replace(seeds, init=seed, order=seed), options=HALF) for each in sets for seed in (7, 8)]


def test_dropout_multiplies_the_units_behind_each_relu() -> None:
    import torch

    torch.manual_seed(0)
    module, x, scales = network((4, 5, 3, 2), 1), torch.rand(6, 4), torch.rand(6, 8)
    first, _, second, _, last = module
    by_hand = last((second(first(x).relu() * scales[:, :5])).relu() * scales[:, 5:])
    torch.testing.assert_close(logits_under_dropout(module, x, scales), by_hand)


@every_engine
def test_a_network_learns_under_dropout_another_one_than_without(train: Train, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=300)
    model = MLP(hidden=(32,), epochs=40)
    dropped, plain = (train(model, task_of(records, seeds, options=how)) for how in (HALF, TrainingOptions()))
    assert (dropped.log_posteriors(records.x[150:]).argmax(axis=1) == records.y[150:]).mean() > 0.5
    assert not np.array_equal(weights(dropped), weights(plain))


@every_engine
def test_a_deleted_record_takes_its_draws_along_and_leaves_those_of_others(
    train: Train, blobs: Blobs, seeds: Seeds
) -> None:
    """One step with one batch of all: the models that lack one record each have the mean gradient as their mean."""
    data = TrainingSet.of(blobs(n=12), np.arange(12))
    model = MLP(hidden=(8, 6), epochs=1, batch_size=12, optimizer="sgd", learning_rate=1e-2)
    sets = [data, *(data.after(Step(np.array([i]))) for i in range(12))]
    full, *without = (weights(train(model, FitTask(each, seeds, options=HALF))).astype(float) for each in sets)
    np.testing.assert_allclose(np.mean(without, axis=0), full, atol=2e-7)
    assert max(np.abs(each - full).max() for each in without) > 1e-5


@every_engine
def test_without_hidden_layers_there_is_nothing_to_leave_out(train: Train, blobs: Blobs, seeds: Seeds) -> None:
    linear = replace(SMALL, hidden=())
    one, two = (
        weights(linear.fit(task_of(blobs(), seeds, options=TrainingOptions()), "cpu")),
        weights(train(linear, task_of(blobs(), seeds))),
    )
    np.testing.assert_allclose(one, two, atol=2e-6)


@every_engine
def test_dropout_and_differential_privacy_together_are_an_error(train: Train, blobs: Blobs, seeds: Seeds) -> None:
    both = TrainingOptions(dp=DPSGD(1.0, 1.0, 1e-5), dropout=0.5)
    with pytest.raises(UserError, match="not with both"):
        train(SMALL, task_of(blobs(), seeds, options=both))


@kernels
@pytest.mark.parametrize("order", ["slot", "compact"])
@pytest.mark.parametrize("hidden", [(), (32,), (64, 32), (5, 40, 7)])
@pytest.mark.parametrize(
    "how", [{}, {"optimizer": "sgd", "learning_rate": 0.1, "weight_decay": 0.01}, {"scaler": "refit"}]
)
def test_after_an_epoch_the_stack_agrees_with_the_reference(
    order: Order, hidden: tuple[int, ...], how: dict[str, Any], blobs: Blobs, seeds: Seeds
) -> None:
    records, model = blobs(), replace(SMALL, hidden=hidden, **how)
    tasks = [task_of(records, seeds, forget, order) for forget in ([3, 70], [149], [])]
    for fast, task in zip(model.fit_many(tasks, "cpu"), tasks, strict=True):
        slow = model.fit(task, "cpu")
        np.testing.assert_allclose(posteriors(fast, records.x), posteriors(slow, records.x), atol=1e-6)


@kernels
@pytest.mark.parametrize("hidden", [(7,), (256, 128, 64, 32)])
@pytest.mark.parametrize("scaler", ["original", "refit"])
def test_a_stacked_network_is_the_same_bits_alone_and_in_any_company(
    hidden: tuple[int, ...], scaler: Scaler, blobs: Blobs, seeds: Seeds
) -> None:
    records, model = blobs(n=160), replace(SMALL, hidden=hidden, epochs=3, scaler=scaler)
    tasks = mixed(records, seeds)
    alone = [weights(model.fit_many([task], "cpu")[0]) for task in tasks]
    together = [weights(fitted) for fitted in model.fit_many(tasks[::-1], "cpu")[::-1]]
    assert all(map(np.array_equal, alone, together))


@kernels
def test_networks_with_and_without_dropout_come_back_in_their_places(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    tasks = [task_of(records, seeds, options=TrainingOptions(dropout=share)) for share in (0.5, 0.0, 0.25, 0.0, 0.5)]
    several = [weights(fitted) for fitted in SMALL.fit_many(tasks, "cpu")]
    alone = [weights(SMALL.fit_many([task], "cpu")[0]) for task in tasks]
    assert all(map(np.array_equal, several, alone))
    assert np.array_equal(several[0], several[4])
    assert not np.array_equal(several[0], several[2])


@kernels
def test_a_batch_that_is_all_masked_is_no_step_of_the_stack(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    alone = FitTask(TrainingSet.of(records, np.arange(1)), seeds, options=HALF)
    joined = replace(alone, data=TrainingSet.of(records, np.arange(2)).after(Step(np.array([1]))))
    one_by_one = replace(SMALL, batch_size=1, scaler="refit", weight_decay=0.5)
    first, second = one_by_one.fit_many([alone, joined], "cpu")
    assert np.array_equal(weights(first), weights(second))


@kernels
@pytest.mark.parametrize("options", [HALF, TrainingOptions()])
def test_the_stack_goes_on_from_networks_of_every_engine(options: TrainingOptions, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    begin = FitTask(TrainingSet.of(records, np.arange(80)), seeds, options=options)
    for first in (SMALL.fit(begin, "cpu"), SMALL.fit_many([begin], "cpu")[0]):
        before = weights(first).copy()
        task = FitTask(TrainingSet.of(records, np.arange(150)), replace(seeds, init=99), first, HALF)
        (fast,) = SMALL.fit_many([task], "cpu")
        np.testing.assert_allclose(weights(fast), weights(SMALL.fit(task, "cpu")), atol=2e-6)
        assert isinstance(first, FittedMLP | FastMLP)
        assert isinstance(fast, FittedMLP)
        assert fast.standardizer is first.standardizer
        assert np.array_equal(weights(first), before)
        nothing = replace(task, data=task.data.after(Step(np.arange(150))))
        assert np.array_equal(weights(SMALL.fit_many([nothing], "cpu")[0]), before)


@kernels
def test_the_stack_has_the_errors_of_the_reference(blobs: Blobs, seeds: Seeds) -> None:
    wild = MLP(hidden=(8, 8), epochs=5, batch_size=16, optimizer="sgd", learning_rate=1e9)
    with pytest.raises(UserError, match="lower learning_rate"):
        wild.fit_many([task_of(blobs(), seeds)], "cpu")
    with pytest.raises(UserError, match="no record left"):
        SMALL.fit_many([task_of(blobs(), seeds, np.arange(150))], "cpu")


def test_without_numba_dropout_is_left_to_the_reference(
    blobs: Blobs, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unlearnbench.builtin.models.mlp.model.usable", lambda: False)
    task = task_of(blobs(), seeds)
    (fitted,) = SMALL.fit_many([task], "cpu")
    assert isinstance(fitted, FittedMLP)
    assert np.array_equal(weights(fitted), weights(SMALL.fit(task, "cpu")))


def test_on_a_gpu_networks_are_stacked_and_private_ones_left_to_the_reference(
    blobs: Blobs, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No GPU is needed: the device is only handed on."""
    asked: list[str] = []
    stacked, single = Constant(0, 3), Constant(1, 3)

    def by_stack(self: MLP, tasks: object, starts: object, device: str) -> list[Constant]:
        asked.append(device)
        return [stacked]

    monkeypatch.setattr(MLP, "_by_stack", by_stack)
    monkeypatch.setattr(MLP, "fit", lambda self, task, device: single)
    plain = task_of(blobs(), Seeds(1, 2, 3), options=TrainingOptions())
    private = replace(plain, options=TrainingOptions(dp=DPSGD(1.0, 1.0, 1e-5)))
    assert SMALL.has_fast_path("cuda")
    assert SMALL.fit_many([plain], "cuda") == [stacked]
    assert asked == ["cuda"]
    assert SMALL.fit_many([plain, private], "cuda") == [single] * 2
