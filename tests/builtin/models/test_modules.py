"""Networks as methods that train on see them: their module, their blocks, and the loss that they were trained on."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unlearnbench import FitTask, HasModule, Seeds, TrainingOptions, TrainingSet
from unlearnbench.builtin.models.mlp.fitted import FastMLP, FittedMLP
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.simple_cnn.model import SimpleCNN
from unlearnbench.builtin.models.simple_cnn.network import SHARES
from unlearnbench.core.records import Records
from unlearnbench.engine.batches import epochs_of_batches
from unlearnbench.engine.jit import usable
from unlearnbench.testing.samples import blobs

torch = pytest.importorskip("torch")
SEEDS = Seeds(1, 2, 3)
MODELS = {
    "mlp": (MLP(hidden=(8, 6), epochs=3, batch_size=16), blobs(), TrainingOptions()),
    "mlp-dropout": (MLP(hidden=(8, 6), epochs=3, batch_size=16), blobs(), TrainingOptions(dropout=0.5)),
    "simple-cnn": (SimpleCNN(epochs=3, batch_size=16), blobs(shape=(8, 8)), TrainingOptions()),
}
every_model = pytest.mark.parametrize(("model", "records", "options"), MODELS.values(), ids=MODELS)


def weights(module: Any) -> NDArray[np.float32]:
    return np.concatenate([each.detach().numpy().ravel() for each in module.parameters()])


@every_model
def test_training_on_by_the_protocol_alone_is_training(
    model: MLP | SimpleCNN, records: Records, options: TrainingOptions
) -> None:
    """What a gradient method can write with public names, from the first weights on, is bitwise the model's own fit."""
    data = TrainingSet.of(records, np.arange(40))
    fitted = model.fit(FitTask(data, SEEDS, options=options), "cpu")
    assert isinstance(fitted, HasModule)
    ids, x, y = data.kept_ids, fitted.inputs(data.x), torch.from_numpy(data.y)
    module = model._begin(FitTask(data, SEEDS, options=options), "cpu").module
    optimizer = torch.optim.Adam(module.parameters(), lr=model.learning_rate, fused=isinstance(model, MLP))
    for epoch, rows in epochs_of_batches(data, SEEDS.order, model.epochs, model.batch_size):
        optimizer.zero_grad()
        logits = fitted.training_logits(module, x[rows], ids[rows], SEEDS.order, epoch)
        torch.nn.functional.cross_entropy(logits, y[rows]).backward()
        optimizer.step()
    np.testing.assert_array_equal(weights(module), weights(fitted.module))


@every_model
def test_dropout_is_part_of_the_training_logits_and_of_nothing_else(
    model: MLP | SimpleCNN, records: Records, options: TrainingOptions
) -> None:
    data = TrainingSet.of(records, np.arange(40))
    fitted = model.fit(FitTask(data, SEEDS, options=options), "cpu")
    x = fitted.inputs(data.x)
    plain, first, second = (
        fitted.module(x),
        *(fitted.training_logits(fitted.module, x, data.kept_ids, 5, epoch) for epoch in (0, 1)),
    )
    drops = options.dropout > 0 or isinstance(model, SimpleCNN)
    assert torch.equal(first, second) is not drops
    assert torch.equal(first, plain) is not drops


@every_model
def test_blocks_are_the_layers_in_order(model: MLP | SimpleCNN, records: Records, options: TrainingOptions) -> None:
    fitted = model.fit(FitTask(TrainingSet.of(records, np.arange(40)), SEEDS, options=options), "cpu")
    student = copy.deepcopy(fitted.module)
    blocks = fitted.blocks(student)
    assert len(blocks) == (4 if isinstance(model, SimpleCNN) else 3)
    assert [id(each) for block in blocks for each in block.parameters()] == [id(each) for each in student.parameters()]


def test_a_copy_with_its_last_block_changed_leaves_the_model_as_it_was() -> None:
    model, records, _ = MODELS["simple-cnn"]
    fitted = model.fit(FitTask(TrainingSet.of(records, np.arange(40)), SEEDS), "cpu")
    before = fitted.log_posteriors(records.x)
    assert isinstance(fitted, HasModule)
    student = copy.deepcopy(fitted.module)
    last = fitted.blocks(student)[-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.zero_()
    np.testing.assert_allclose(np.exp(fitted.with_module(student).log_posteriors(records.x)), 1 / 3)
    assert np.array_equal(fitted.log_posteriors(records.x), before)


@pytest.mark.skipif(not usable(), reason="numba has no wheel for this platform")
def test_a_network_that_the_kernel_trained_has_a_module_too() -> None:
    model, records, _ = MODELS["mlp"]
    (fitted,) = model.fit_many([FitTask(TrainingSet.of(records, np.arange(40)), SEEDS)], "cpu")
    assert isinstance(fitted, FastMLP)
    assert isinstance(fitted, HasModule)
    again = fitted.with_module(copy.deepcopy(fitted.module)).log_posteriors(records.x)
    np.testing.assert_allclose(again, fitted.log_posteriors(records.x), atol=1e-5)


def test_a_network_that_was_stacked_remembers_its_dropout() -> None:
    model, records, options = MODELS["mlp-dropout"]
    (fitted,) = model.fit_many([FitTask(TrainingSet.of(records, np.arange(40)), SEEDS, options=options)], "cpu")
    assert isinstance(fitted, FittedMLP)
    assert fitted.dropout == fitted.with_module(fitted.module).dropout == 0.5
    assert len(SHARES) == 64 + 128
