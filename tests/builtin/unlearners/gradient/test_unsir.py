from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import LINEAR, NETWORK, weights
from unlearnbench.builtin.unlearners.gradient.unsir import UNSIR
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.passes import Optimizer
from unlearnbench.engine.gradients.unlearner import has_module

ONE_CLASS = [i for i in range(60) if NETWORK.records.y[i] == 2]
TWO_CLASSES = [i for i in range(60) if NETWORK.records.y[i] != 1]


def made(method: UNSIR, forget: list[int]) -> Made:
    (deletion,) = NETWORK.deletions(method, [forget])
    found = method.made(deletion)
    assert found is not None
    return found


def loss_of_noise(method: UNSIR) -> float:
    found = made(method, ONE_CLASS)
    logits = has_module(NETWORK.original().fitted).module(found.inputs)
    return torch.nn.functional.cross_entropy(logits, found.labels).item()


def test_noise_maximizes_the_loss_of_its_class() -> None:
    losses = [loss_of_noise(UNSIR(noise_steps=steps, penalty=0.0)) for steps in (0, 10, 40)]
    assert losses == sorted(losses)
    assert losses[-1] > losses[0] + 0.5


def test_the_penalty_is_of_the_mean_squared_length() -> None:
    """Of a linear network with a single noise: one step of Adam goes by the sign of the gradient."""
    method = UNSIR(noise_records=1, noise_steps=1, penalty=3.0, noise_learning_rate=1e-3)
    fitted = has_module(LINEAR.original().fitted)
    start = replace(method, noise_steps=0).noise(fitted, 2, (4,), SeedPath(1)).numpy()
    layer = fitted.module[0]  # type: ignore[index]  # a sequence of layers
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    logits = start @ weight.T + bias
    error = np.exp(logits) / np.exp(logits).sum() - np.eye(3)[2]
    slope = 3.0 * 2 * start - error @ weight
    moved = method.noise(fitted, 2, (4,), SeedPath(1)).numpy()
    np.testing.assert_allclose(moved, start - 1e-3 * np.sign(slope), atol=1e-6)


def test_noise_is_as_often_among_the_records_as_the_code_takes_it_and_has_its_own_class() -> None:
    """Three noises of each class, twenty times; the code calls those of all classes 0."""
    found = made(UNSIR(), TWO_CLASSES)
    assert torch.bincount(found.labels).tolist() == [60, 0, 60]
    assert len(found) == UNSIR().records_made(NETWORK.deletions(UNSIR(), [TWO_CLASSES])[0]) == 120
    assert len(np.unique(found.inputs.numpy(), axis=0)) == 6


def test_the_network_stays_while_noise_is_learned() -> None:
    (deletion,) = NETWORK.deletions(UNSIR(), [ONE_CLASS])
    before = weights(deletion.fitted)
    UNSIR().made(deletion)
    assert np.array_equal(weights(deletion.fitted), before)
    assert all(each.grad is None for each in has_module(deletion.fitted).module.parameters())


def test_of_the_forget_set_only_the_classes_are_read() -> None:
    """With other features of the forgotten records it comes to the same network, to the bit."""
    (deletion,) = NETWORK.deletions(UNSIR(), [ONE_CLASS])
    x = NETWORK.records.x.copy()
    x[ONE_CLASS] = 7.0
    records = replace(NETWORK.records, x=x)
    original = replace(deletion.original, data=replace(deletion.original.data, records=records))
    garbled = replace(
        deletion,
        original=original,
        retain=replace(deletion.retain, records=records, reference=None),
        forget=replace(deletion.forget, records=records),
    )
    assert np.array_equal(weights(UNSIR().unlearn(garbled)), weights(UNSIR().unlearn(deletion)))


def test_noise_is_learned_as_its_class_beside_the_sample_and_is_gone_in_the_repair() -> None:
    impair, repair = UNSIR().stages(NETWORK.original())
    assert (impair.optimizer, repair.optimizer) == (Optimizer(0.02, "adam"), Optimizer(0.01, "adam"))
    assert [[term.with_made for term in each.passes[0].terms] for each in (impair, repair)] == [[True], [False]]
    method = UNSIR(repair_learning_rate=0.0, batch_size=16)
    (after,) = NETWORK.unlearn(method, ONE_CLASS)
    found = made(method, ONE_CLASS)
    of_class = has_module(after).module(found.inputs).log_softmax(dim=1)[:, 2].mean().item()
    assert of_class > -loss_of_noise(method) + 0.1


def test_without_noise_it_is_two_passes_over_the_sample() -> None:
    plain, (noiseless,) = NETWORK.deletions(UNSIR(), [[]])[0], NETWORK.unlearn(UNSIR(copies=0), ONE_CLASS)
    assert UNSIR().record_passes(plain) == pytest.approx(2 / 3)
    assert not np.array_equal(weights(noiseless), weights(NETWORK.original().fitted))


def test_the_sample_has_so_many_records_of_each_class_on_average() -> None:
    (deletion,) = NETWORK.deletions(UNSIR(), [ONE_CLASS])
    assert UNSIR(sample=5, copies=0, noise_steps=0).record_passes(deletion) * 3 * 40 == 2 * int(40 * 15 / 60)
