from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL, batch_of, weights
from unlearnbench.builtin.unlearners.competition.kde import KDE
from unlearnbench.engine.gradients.unlearner import has_module


def test_the_first_convolution_and_the_last_layer_are_drawn_anew() -> None:
    (after,) = CONVOLUTIONAL.unlearn(KDE(learning_rate=0.0, warmup_learning_rate=0.0), [1])
    old, new = (has_module(each).module for each in (CONVOLUTIONAL.original().fitted, after))
    pairs = zip(old.named_parameters(), new.parameters(), strict=True)
    changed = {name for (name, one), other in pairs if not torch.equal(one, other)}
    assert changed == {"1.weight", "1.bias", "5.weight", "5.bias"}


def batch() -> tuple[torch.Tensor, torch.Tensor, object]:
    logits, original = [[2.0, 0, 0], [0, 0, 1.0]], [[0.3, 0.1, 0], [1.0, 2, 3]]
    return torch.tensor(logits), torch.tensor(original), batch_of(logits, original, [0, 1])


def test_the_distance_is_the_divergence_without_the_square_of_the_temperature() -> None:
    now, before, both = batch()
    expected = torch.nn.functional.kl_div((now / 5).log_softmax(1), (before / 5).softmax(1), reduction="batchmean")
    assert KDE().distance(both).mean().item() == pytest.approx(expected.item(), rel=1e-4)  # type: ignore[arg-type]  # a batch


def test_on_the_retain_set_are_labels_and_the_originals_answers_twice() -> None:
    now, before, both = batch()
    soft = torch.nn.functional.cross_entropy(now / 5, (before / 5).softmax(1))
    plain = torch.nn.functional.cross_entropy(now, torch.tensor([0, 1]))
    expected = soft + plain + KDE().distance(both).mean()  # type: ignore[arg-type]  # a batch
    assert KDE().retain_loss(both).mean().item() == pytest.approx(expected.item(), rel=1e-5)  # type: ignore[arg-type]  # as above


def test_passes_over_validation_records_come_first() -> None:
    first, second = KDE().stages(CONVOLUTIONAL.original())
    assert [pass_.terms[0].over for pass_ in first.passes] == ["validation"] * 3
    assert [(pass_.terms[0].over, pass_.rate) for pass_ in second.passes] == [
        ("retain", 1), ("retain", pytest.approx(0.75)), ("retain", pytest.approx(0.25))
    ]  # fmt: skip
    assert (first.optimizer.learning_rate, second.optimizer.learning_rate) == (9e-4, 1e-3)


def test_validation_records_bring_it_nearer_to_the_original_and_without_them_it_goes_on() -> None:
    method = KDE(epochs=0, warmup_epochs=30, warmup_learning_rate=0.1)
    x = CONVOLUTIONAL.records.x[60:80]
    before = CONVOLUTIONAL.original().fitted.log_posteriors(x)
    (taught,), (untaught,) = (
        case.unlearn(method, [1]) for case in (CONVOLUTIONAL, replace(CONVOLUTIONAL, validation=0))
    )
    gaps = [abs(each.log_posteriors(x) - before).mean() for each in (taught, untaught)]
    assert gaps[0] < gaps[1]
    assert (weights(untaught) != weights(CONVOLUTIONAL.original().fitted)).any()
