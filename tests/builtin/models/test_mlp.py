from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.builtin.models.networks import SMALL, train, weights
from unlearnbench.builtin.models.mlp.fitted import FittedMLP, network
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Seeds
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.engine.scaling import Standardizer
from unlearnbench.engine.sklearn_model import Constant

if TYPE_CHECKING:
    from tests.builtin.models.conftest import Blobs


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

    from unlearnbench.core.records import Provenance

    x, y = load_digits(return_X_y=True)
    records = Records("digits", x, y.astype(np.int64), 10, Provenance("", ""))
    fitted = train(MLP(), TrainingSet.of(records, np.arange(1000)), Seeds(1, 2, 3))
    assert (fitted.log_posteriors(x[1000:]).argmax(axis=1) == y[1000:]).mean() > 0.85
