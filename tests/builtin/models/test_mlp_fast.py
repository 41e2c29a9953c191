"""The fast path of networks agrees with the reference, and has the same bits in any company."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.builtin.models.networks import SMALL, train, weights
from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.mlp.fitted import FastMLP, FittedMLP, network
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import FitTask, Fitted, Seeds
from unlearnbench.core.records import Order, Records, Step, TrainingSet
from unlearnbench.engine.jit import usable
from unlearnbench.engine.networks.training import OptimizerName
from unlearnbench.engine.scaling import Scaler
from unlearnbench.engine.sklearn_model import Constant

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs

kernels = pytest.mark.skipif(not usable(), reason="numba has no wheel for this platform")


DATASETS: dict[str, Callable[[], Dataset]] = {"adult": Adult, "breast-cancer": BreastCancer, "digits": Digits}


def both(model: MLP, task: FitTask) -> tuple[Any, Any]:
    return model.fit(task, "cpu"), model.fit_many([task], "cpu")[0]


def posteriors(fitted: Fitted, x: NDArray[np.float64]) -> np.ndarray:
    return np.asarray(np.exp(fitted.log_posteriors(x)))


@pytest.fixture(scope="module", params=DATASETS)
def part(request: pytest.FixtureRequest) -> TrainingSet:
    records = DATASETS[request.param]().load()
    ids = np.random.default_rng(0).permutation(len(records))[:500]
    return TrainingSet.of(records, ids)  # 64 does not divide 500


@kernels
@pytest.mark.parametrize("order", ["slot", "compact"])
@pytest.mark.parametrize(("optimizer", "rate", "decay"), [("adam", 1e-3, 0.0), ("sgd", 0.1, 0.01)])
@pytest.mark.parametrize("hidden", [(), (32,), (64, 32), (256, 128, 64, 32), (5, 40, 7)])
def test_after_an_epoch_the_fast_path_agrees_with_the_reference(
    hidden: tuple[int, ...], optimizer: OptimizerName, rate: float, decay: float, order: Order, part: TrainingSet
) -> None:
    model = MLP(hidden=hidden, epochs=1, optimizer=optimizer, learning_rate=rate, weight_decay=decay)
    task = FitTask(part.after(Step(part.ids[[3, 70, 471]]), order), Seeds(1, 2, 3))
    slow, fast = both(model, task)
    x = part.records.x[:600]
    np.testing.assert_allclose(posteriors(fast, x), posteriors(slow, x), atol=1e-6)
    if hidden:
        np.testing.assert_allclose(weights(fast), weights(slow), atol=2e-6)


@kernels
@pytest.mark.parametrize("batch_size", [1, 7, 16, 33, 60, 200])
def test_the_fast_path_agrees_at_any_batch_size(batch_size: int, blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60)).after(Step(np.array([4])))
    slow, fast = both(replace(SMALL, batch_size=batch_size), FitTask(data, seeds))
    np.testing.assert_allclose(weights(fast), weights(slow), atol=2e-6)


@kernels
def test_after_many_epochs_both_engines_are_as_good_and_deletions_move_them_as_much(seeds: Seeds) -> None:
    records = Digits().load()
    data, x, y = TrainingSet.of(records, np.arange(600)), records.x[600:], records.y[600:]
    model = MLP(hidden=(32,), epochs=8)
    runs = [FitTask(data, replace(seeds, init=seed)) for seed in range(6)]
    without = [replace(task, data=data.after(Step(np.arange(10)))) for task in runs]
    right, moved = [], []
    engines: tuple[Callable[[list[FitTask]], Sequence[Fitted]], ...] = (
        lambda tasks: [model.fit(task, "cpu") for task in tasks],
        lambda tasks: model.fit_many(tasks, "cpu"),
    )
    for engine in engines:
        before, after = (np.stack([posteriors(fitted, x) for fitted in engine(tasks)]) for tasks in (runs, without))
        right.append((before.argmax(axis=2) == y).mean())
        moved.append(np.abs(after - before).mean())
    assert right[1] == pytest.approx(right[0], abs=0.01)
    assert moved[1] == pytest.approx(moved[0], rel=0.1)


def mixed_tasks(records: Records, seeds: Seeds) -> list[FitTask]:
    data = TrainingSet.of(records, np.arange(150))
    sets = [data, *(data.after(Step(np.array([i])), order) for i in (3, 50) for order in ("slot", "compact"))]
    sets += [data.after(Step(np.array([1]), np.array([155]))), TrainingSet.of(records, np.arange(150)[::-1])]
    return [FitTask(each, Seeds(seed, 1 + seed, 0)) for each in sets for seed in (7, 8)]


@kernels
@pytest.mark.parametrize("scaler", ["original", "refit"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_network_is_the_same_bits_alone_in_any_company_and_by_any_number_of_threads(
    scaler: Scaler, threads: str, blobs: Blobs, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, model = blobs(n=160), replace(SMALL, scaler=scaler)
    tasks = mixed_tasks(records, seeds)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = [model.fit_many([task], "cpu")[0].log_posteriors(records.x) for task in tasks]
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    together = model.fit_many(tasks[::-1], "cpu")[::-1]
    assert all(np.array_equal(one.log_posteriors(records.x), it) for one, it in zip(together, alone, strict=True))
    for fitted, task in zip(together, tasks, strict=True):
        np.testing.assert_allclose(weights(fitted), weights(model.fit(task, "cpu")), atol=2e-6)


@kernels
def test_an_answer_is_the_same_bits_whichever_models_and_records_are_queried_with_it(
    blobs: Blobs, seeds: Seeds
) -> None:
    records = blobs(n=160)
    fitted = SMALL.fit_many(mixed_tasks(records, seeds), "cpu")
    first = fitted[0]
    assert isinstance(first, FastMLP)
    bank = first.bank
    every = bank.log_posteriors(records.x, np.arange(len(fitted)))
    assert np.array_equal(bank.log_posteriors(records.x[[9]], np.array([5, 2, 5])), every[[5, 2, 5]][:, [9]])
    assert np.array_equal(fitted[3].log_posteriors(records.x[40:150:7]), every[3, 40:150:7])
    assert bank.log_posteriors(records.x[:0], np.array([1, 2])).shape == (2, 0, 3)


@kernels
def test_the_torch_duplicate_of_a_fast_network_answers_alike(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    (fitted,) = SMALL.fit_many([FitTask(TrainingSet.of(records, np.arange(150)), seeds)], "cpu")
    assert isinstance(fitted, FastMLP)
    np.testing.assert_allclose(posteriors(fitted.as_torch, records.x), posteriors(fitted, records.x), atol=1e-6)
    swapped = fitted.with_module(network((4, 8, 3), 0))
    assert isinstance(swapped, FittedMLP)
    assert swapped.standardizer is fitted.standardizer
    assert fitted.module(fitted.inputs(records.x)).shape == (150, 3)


@kernels
@pytest.mark.parametrize("first_by", ["fit", "fit_many"])
def test_the_fast_path_goes_on_from_a_network_of_either_engine(first_by: str, blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    begin = FitTask(TrainingSet.of(records, np.arange(80)), seeds)
    first = SMALL.fit(begin, "cpu") if first_by == "fit" else SMALL.fit_many([begin], "cpu")[0]
    before = weights(first).copy()
    task = FitTask(TrainingSet.of(records, np.arange(150)), replace(seeds, init=99), first)
    slow, fast = both(SMALL, task)
    np.testing.assert_allclose(weights(fast), weights(slow), atol=2e-6)
    assert isinstance(first, FittedMLP | FastMLP)
    assert fast.standardizer is first.standardizer
    assert np.array_equal(weights(first), before)
    nothing = replace(task, data=task.data.after(Step(np.arange(150))))
    assert np.array_equal(weights(SMALL.fit_many([nothing], "cpu")[0]), before)


def test_what_the_fast_path_cannot_do_the_reference_does_for_all_tasks_of_the_call(
    blobs: Blobs, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    data = TrainingSet.of(blobs(), np.arange(150))
    plain = FitTask(data, seeds)
    first = train(SMALL, data, seeds)
    odd = first.with_module(torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)))
    assert {type(fitted) for fitted in SMALL.fit_many([plain, replace(plain, start=odd)], "cpu")} == {FittedMLP}
    monkeypatch.setattr("unlearnbench.builtin.models.mlp.model.usable", lambda: False)
    (fitted,) = SMALL.fit_many([plain], "cpu")
    assert isinstance(fitted, FittedMLP)
    assert np.array_equal(weights(fitted), weights(first))


@kernels
def test_the_fast_path_has_the_errors_of_the_reference(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(), np.arange(150))
    wild = MLP(hidden=(8, 8), epochs=5, batch_size=16, optimizer="sgd", learning_rate=1e9)
    with pytest.raises(UserError, match="lower learning_rate"):
        wild.fit_many([FitTask(data, seeds)], "cpu")
    with pytest.raises(UserError, match="no record left"):
        SMALL.fit_many([FitTask(data.after(Step(np.arange(150))), seeds)], "cpu")
    with pytest.raises(UserError, match="not from Constant"):
        SMALL.fit_many([FitTask(data, seeds, Constant(0, 3))], "cpu")
    assert SMALL.fit_many([], "cpu") == []


@kernels
def test_the_fast_path_needs_no_torch() -> None:
    import subprocess
    import sys

    code = """
import sys
sys.modules["torch"] = None
import numpy as np
from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import TrainingSet
task = FitTask(TrainingSet.of(Adult().load(), np.arange(50)), Seeds(1, 2, 3))
print(MLP(hidden=(8,), epochs=1).fit_many([task], "cpu")[0].log_posteriors(task.data.x).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "(50, 2)\n"
