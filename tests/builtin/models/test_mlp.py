from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

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
from unlearnbench.engine.scaling import Scaler, Standardizer
from unlearnbench.engine.sklearn_model import Constant

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


SMALL = MLP(hidden=(8,), epochs=2, batch_size=16)


def train(model: MLP, data: TrainingSet, seeds: Seeds, start: FittedMLP | Constant | None = None) -> Any:
    return model.fit(FitTask(data, seeds, start), "cpu")


def weights(fitted: Any) -> np.ndarray:
    return np.concatenate([parameter.detach().numpy().ravel() for parameter in fitted.module.parameters()])


@pytest.mark.parametrize("forgotten", [[], [3, 50]])
def test_one_sgd_step_without_hidden_layers_is_the_mean_gradient_over_the_kept_records(
    forgotten: list[int], blobs: Blobs, seeds: Seeds
) -> None:
    records = blobs(n=60)
    data = TrainingSet.of(records, np.arange(60)).after(Step(np.array(forgotten, dtype=np.int64)))
    model = MLP(hidden=(), epochs=1, batch_size=60, optimizer="sgd", learning_rate=0.5, weight_decay=0.1)
    w, b = (each.detach().numpy().astype(float) for each in network((4, 3), seeds.init).parameters())
    z = Standardizer.of(records.x)(data.x)
    shares = np.exp(z @ w.T + b)
    wrong = shares / shares.sum(axis=1, keepdims=True) - np.eye(3)[data.y]
    after = train(model, data, seeds).module[0]
    np.testing.assert_allclose(after.weight.detach(), w - 0.5 * (wrong.T @ z / len(z) + 0.1 * w), atol=1e-6)
    np.testing.assert_allclose(after.bias.detach(), b - 0.5 * (wrong.mean(axis=0) + 0.1 * b), atol=1e-6)


def test_the_first_adam_step_moves_every_live_weight_by_the_learning_rate(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    model = MLP(hidden=(), epochs=1, batch_size=60, learning_rate=0.01)
    before = np.concatenate([p.detach().numpy().ravel() for p in network((4, 3), seeds.init).parameters()])
    after = weights(train(model, TrainingSet.of(records, np.arange(60)), seeds))
    np.testing.assert_allclose(np.abs(after - before), 0.01, rtol=1e-3)


def test_initial_weights_are_uniform_in_one_over_root_fan_in() -> None:
    weight, bias = (parameter.detach().numpy() for parameter in network((400, 300), 7).parameters())
    assert np.abs(weight).max() <= 0.05
    np.testing.assert_allclose(weight.std(), 0.05 / 3**0.5, rtol=0.01)
    assert 0.04 < np.abs(bias).max() <= 0.05


def test_layers_are_linear_with_relu_in_between() -> None:
    kinds = [type(layer).__name__ for layer in network((14, 256, 128, 64, 32, 2), 0)]
    assert kinds == ["Linear", "ReLU"] * 4 + ["Linear"]


def test_slot_and_compact_are_one_model_where_one_batch_holds_all(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    data = TrainingSet.of(records, np.arange(60))
    whole = replace(SMALL, batch_size=60)
    slot, compact = (train(whole, data.after(Step(np.array([9])), order), seeds) for order in ("slot", "compact"))
    assert np.array_equal(weights(slot), weights(compact))


def test_slot_and_compact_differ_where_later_batches_shift(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60))
    slot, compact = (train(SMALL, data.after(Step(np.array([9])), order), seeds) for order in ("slot", "compact"))
    assert not np.array_equal(weights(slot), weights(compact))


def test_a_batch_that_is_all_masked_is_no_step(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    alone = TrainingSet.of(records, np.arange(1))
    joined = TrainingSet.of(records, np.arange(2)).after(Step(np.array([1])))
    one_by_one = replace(SMALL, batch_size=1, scaler="refit", weight_decay=0.5)
    assert np.array_equal(weights(train(one_by_one, alone, seeds)), weights(train(one_by_one, joined, seeds)))


@pytest.mark.parametrize("seed", [{"init": 5}, {"order": 5}])
def test_fresh_init_and_fresh_order_are_other_runs(seed: dict[str, int], blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60))
    assert not np.array_equal(weights(train(SMALL, data, seeds)), weights(train(SMALL, data, replace(seeds, **seed))))


def test_continuing_leaves_the_start_as_it_was_and_keeps_its_scaler(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs(n=60)
    first = train(SMALL, TrainingSet.of(records, np.arange(20)), seeds)
    before = weights(first).copy()
    second = train(SMALL, TrainingSet.of(records, np.arange(60)), seeds, start=first)
    assert np.array_equal(weights(first), before)
    assert not np.array_equal(weights(second), before)
    assert second.standardizer is first.standardizer


def test_continuing_starts_from_the_weights_of_the_start_and_not_from_the_init_seed(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60))
    first = train(SMALL, data, seeds)
    other_init = replace(seeds, init=999)
    assert np.array_equal(
        weights(train(SMALL, data, seeds, start=first)), weights(train(SMALL, data, other_init, start=first))
    )


def test_plain_sgd_in_two_stages_is_one_longer_run(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60))
    sgd = MLP(hidden=(8,), epochs=1, batch_size=60, optimizer="sgd", learning_rate=0.1)
    staged = train(sgd, data, seeds, start=train(sgd, data, seeds))
    straight = train(replace(sgd, epochs=2), data, seeds)
    np.testing.assert_allclose(weights(staged), weights(straight), atol=1e-6)  # epochs sum one batch in two orders


def test_a_stage_that_lost_all_its_records_keeps_the_start(blobs: Blobs, seeds: Seeds) -> None:
    data = TrainingSet.of(blobs(n=60), np.arange(60))
    first = train(SMALL, data, seeds)
    nothing = data.after(Step(np.arange(60)))
    assert np.array_equal(weights(train(SMALL, nothing, seeds, start=first)), weights(first))


def test_continuing_from_another_kind_of_model_is_an_error(blobs: Blobs, seeds: Seeds) -> None:
    with pytest.raises(UserError, match="not from Constant"):
        train(SMALL, TrainingSet.of(blobs(), np.arange(60)), seeds, start=Constant(0, 3))


def test_weights_that_overflow_are_an_error_and_not_a_model(blobs: Blobs, seeds: Seeds) -> None:
    wild = MLP(hidden=(8, 8), epochs=5, batch_size=16, optimizer="sgd", learning_rate=1e9)
    with pytest.raises(UserError, match="lower learning_rate"):
        train(wild, TrainingSet.of(blobs(), np.arange(150)), seeds)


def test_the_module_takes_inputs_and_gives_the_logits_behind_the_posteriors(blobs: Blobs, seeds: Seeds) -> None:
    import torch

    records = blobs()
    fitted = train(SMALL, TrainingSet.of(records, np.arange(150)), seeds)
    logits = fitted.module(fitted.inputs(records.x)).double()
    expected = torch.log_softmax(logits, dim=1).detach().numpy()
    np.testing.assert_allclose(fitted.log_posteriors(records.x), expected, atol=1e-12)
    assert all(parameter.grad is None for parameter in fitted.module.parameters())


def test_another_module_can_stand_behind_the_same_scaler(blobs: Blobs, seeds: Seeds) -> None:
    records = blobs()
    fitted = train(SMALL, TrainingSet.of(records, np.arange(150)), seeds)
    swapped = fitted.with_module(network((4, 8, 3), 0))
    assert isinstance(swapped, FittedMLP)
    assert swapped.standardizer is fitted.standardizer
    assert not np.array_equal(swapped.log_posteriors(records.x), fitted.log_posteriors(records.x))


def test_the_default_network_learns_digits() -> None:
    from sklearn.datasets import load_digits

    from unlearnbench.core.records import Provenance, Records

    x, y = load_digits(return_X_y=True)
    records = Records("digits", x, y.astype(np.int64), 10, Provenance("", ""))
    fitted = train(MLP(), TrainingSet.of(records, np.arange(1000)), Seeds(1, 2, 3))
    assert (fitted.log_posteriors(x[1000:]).argmax(axis=1) == y[1000:]).mean() > 0.85


# --- the fast path

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
