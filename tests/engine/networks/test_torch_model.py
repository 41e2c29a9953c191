"""A target model whose author wrote only the network."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import FitTask, FittedTorch, HasModule, Provenance, Records, Seeds, Step, TorchModel, TrainingSet
from unlearnbench.core.errors import UserError
from unlearnbench.engine.batches import batches_of_ids, epochs_of_batches
from unlearnbench.hooks.registry import Registry
from unlearnbench.testing import contract, models
from unlearnbench.testing.findings import Check

torch = pytest.importorskip("torch")
SEEDS = Seeds(1, 2, 3)


@dataclass(frozen=True)
class Small(TorchModel):
    """One hidden layer.

    ``width``: units of the hidden layer
    """

    width: int = 8

    def network(self, shape: tuple[int, ...], n_classes: int) -> Any:
        layers = torch.nn.Linear(*shape, self.width), torch.nn.ReLU(), torch.nn.Linear(self.width, n_classes)
        return torch.nn.Sequential(*layers)


class Normalized(Small):
    """The same with batch normalization."""

    def network(self, shape: tuple[int, ...], n_classes: int) -> Any:
        first, *others = super().network(shape, n_classes)
        return torch.nn.Sequential(first, torch.nn.BatchNorm1d(self.width), *others)


@dataclass(frozen=True)
class Channels(TorchModel):
    """The mean of each channel of an image, and a linear layer."""

    def features(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if x.ndim != 4:
            raise UserError("channels needs images")
        return x

    def tensor(self, scaled: Any) -> Any:
        return scaled.permute(0, 3, 1, 2)

    def network(self, shape: tuple[int, ...], n_classes: int) -> Any:
        return torch.nn.Sequential(torch.nn.AvgPool2d(shape[:2]), torch.nn.Flatten(), torch.nn.Linear(shape[2], 3))


class Dies(Small):
    """Drops out all that it learns from."""

    def training_logits(self, module: Any, inputs: Any, ids: NDArray[np.int64], seed: int, epoch: int) -> Any:
        return module(inputs) * 0.0


def table(n: int = 90) -> Records:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = rng.normal(size=(n, 2)) + 3 * np.eye(3)[y][:, :2]
    return Records("toy", x * (1.0, 50.0) + 7, y, 3, Provenance("made up", "CC0"))


def task(records: Records | None = None, n: int = 60, **changes: Any) -> FitTask:
    return FitTask(TrainingSet.of(records or table(), np.arange(n)), SEEDS, **changes)


def test_it_learns_and_answers_with_a_module_and_a_scaler_of_its_own() -> None:
    fitted = Small(epochs=30, batch_size=10, learning_rate=0.02).fit(task(), "cpu")
    assert isinstance(fitted, HasModule)
    records = table()
    x = records.x[60:]
    assert (fitted.log_posteriors(x).argmax(axis=1) == records.y[60:]).mean() > 0.7
    logits = fitted.module(fitted.inputs(x)).detach().double()
    np.testing.assert_allclose(fitted.log_posteriors(x), logits.log_softmax(dim=1), atol=1e-12)
    assert fitted.standardizer.mean == pytest.approx(records.x[:60].mean(axis=0))
    assert not fitted.module.training


def test_the_axis_of_channels_is_standardized() -> None:
    x = np.random.default_rng(0).normal(size=(30, 4, 4, 2)) * (1.0, 9.0)
    records = Records("images", x, np.arange(30) % 3, 3, Provenance("made up", "CC0"))
    fitted = Channels(epochs=1).fit(task(records, 30), "cpu")
    assert fitted.standardizer.mean == pytest.approx(x.mean(axis=(0, 1, 2)))
    assert fitted.inputs(x).shape == (30, 2, 4, 4)
    assert fitted.inputs(x).std(dim=(0, 2, 3)).tolist() == pytest.approx([1, 1], abs=0.01)


def test_an_unlearned_model_is_scaled_by_the_original_s_records() -> None:
    data = TrainingSet.of(table(), np.arange(60)).after(Step(np.arange(20)))
    fitted = Small(epochs=1).fit(FitTask(data, SEEDS), "cpu")
    assert fitted.standardizer.mean == pytest.approx(table().x[:60].mean(axis=0))


def test_it_is_trained_on_the_logits_that_it_names() -> None:
    untrained, dead, alive = (
        np.concatenate([each.detach().numpy().ravel() for each in fitted.module.parameters()])
        for fitted in (
            Small().untrained(task().data, SEEDS.init, "cpu"),
            Dies(epochs=1).fit(task(), "cpu"),
            Small(epochs=1).fit(task(), "cpu"),
        )
    )
    assert np.array_equal(untrained, dead)
    assert not np.array_equal(untrained, alive)


def test_training_goes_on_from_a_model_of_its_kind_only() -> None:
    first = Small(epochs=1).fit(task(), "cpu")
    before = first.log_posteriors(table().x)
    second = Small(epochs=2).fit(task(start=first), "cpu")
    assert np.array_equal(first.log_posteriors(table().x), before)
    assert not np.array_equal(second.log_posteriors(table().x), before)
    assert second.standardizer is first.standardizer
    assert second.model.epochs == 2
    with pytest.raises(UserError, match="a channels can go on from a channels only, not from small"):
        Channels().fit(task(start=first), "cpu")


def test_a_model_with_another_module_keeps_all_else() -> None:
    fitted = Small(epochs=1).fit(task(), "cpu")
    other = Small(epochs=1).untrained(task().data, 99, "cpu")
    changed = fitted.with_module(other.module)
    assert isinstance(changed, FittedTorch)
    assert changed.standardizer is fitted.standardizer
    assert np.array_equal(changed.log_posteriors(table().x), replace(other).log_posteriors(table().x))


def test_blocks_are_the_children_that_have_parameters() -> None:
    fitted = Normalized(epochs=1).fit(task(), "cpu")
    linear, norm, _, last = fitted.module.children()
    assert fitted.blocks(fitted.module) == [linear, norm, last]


def all_of_a_batch_but_one(size: int) -> Step:
    first = next(iter(batches_of_ids(task().data, SEEDS.order, 0, size)))
    return Step(first[1:])


@pytest.mark.parametrize(
    ("size", "step"),
    [(1, Step(np.array([]))), (59, Step(np.array([]))), (12, all_of_a_batch_but_one(12))],
    ids=["each", "the last", "one left by a deletion"],
)
def test_a_batch_of_one_record_is_normalized_by_the_running_statistics(size: int, step: Step) -> None:
    data = task().data.after(step)
    fitted = Normalized(epochs=2, batch_size=size).fit(FitTask(data, SEEDS), "cpu")
    sizes = [len(rows) for _, rows in epochs_of_batches(data, SEEDS.order, 2, size)]
    assert 1 in sizes
    assert np.isfinite(fitted.log_posteriors(table().x)).all()
    _, norm, *_ = fitted.module.children()
    assert norm.num_batches_tracked == sum(n > 1 for n in sizes)


def test_running_statistics_come_with_the_module_and_move_in_training_only() -> None:
    fitted = Normalized(epochs=1).fit(task(), "cpu")
    _, norm, *_ = fitted.module.children()
    assert norm.num_batches_tracked == 1
    answer = fitted.log_posteriors(table().x)
    assert np.array_equal(fitted.with_module(copy.deepcopy(fitted.module)).log_posteriors(table().x), answer)
    assert norm.num_batches_tracked == 1


@pytest.mark.parametrize("check", models.CHECKS, ids=lambda check: check.name)
def test_it_passes_the_conformance_kit(check: Check, registry: Registry) -> None:
    subject = contract.Subject(registry.get("model", "mlp"), Small(epochs=2, batch_size=16))
    assert check.findings(subject) == []
