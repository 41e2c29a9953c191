from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, Case, made_up
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.unlearners.gradient.random_label import RandomLabel, Variant, any_labels, other_labels
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.jobs import Tables

MANY = Case(MLP(hidden=(4,), epochs=1), made_up(60, 5))


def labels(draw: Callable[[Batch], torch.Tensor], number: int = 0, seed: int = 0) -> torch.Tensor:
    """Return the labels that pass ``number`` of a request gives to the forty records it forgets, or more of them."""
    method = RandomLabel()
    (*_, deletion) = MANY.deletions(method, [range(60)] * (seed + 1))
    job = method._jobs([deletion])[0]
    return draw(Batch(torch.zeros(60, 5), job.forget[None], [job], Tables([job]), number))


def share_of_true_labels(draw: Callable[[Batch], torch.Tensor]) -> float:
    true = torch.tensor(MANY.records.y[:60])
    drawn = torch.stack([labels(draw, number, seed) for seed in range(4) for number in range(10)])
    return float((drawn == true).double().mean())


def test_static_labels_are_never_the_true_ones_and_stay() -> None:
    assert share_of_true_labels(other_labels) == 0
    assert torch.equal(labels(other_labels, number=0), labels(other_labels, number=3))
    assert set(((labels(other_labels) - torch.tensor(MANY.records.y[:60])) % 5).tolist()) == {1, 2, 3, 4}


def test_labels_of_an_epoch_are_of_all_classes_and_drawn_anew() -> None:
    """Of 2,400 draws a fifth is the true label, within three standard deviations."""
    assert share_of_true_labels(any_labels) == pytest.approx(0.2, abs=3 * np.sqrt(0.16 / 2400))
    assert not torch.equal(labels(any_labels, number=0), labels(any_labels, number=1))
    assert not torch.equal(labels(any_labels, seed=0), labels(any_labels, seed=1))


@pytest.mark.parametrize(
    ("variant", "order"), [("epoch", ["forget", "retain"] * 2), ("static", ["both"] * 2), ("mixed", ["both"] * 2)]
)
def test_an_epoch_goes_first_over_the_forget_set_or_over_all_records_mixed(variant: Variant, order: list[str]) -> None:
    (stage,) = RandomLabel(variant, epochs=2).stages(NETWORK.original())
    assert [pass_.terms[0].over for pass_ in stage.passes] == order


@pytest.mark.parametrize("variant", ["static", "epoch", "mixed"])
def test_the_forget_set_gets_random_labels_and_the_retain_set_its_own(variant: Variant) -> None:
    """A network of two classes that only has the other label to learn for records moves its answers there."""
    (after,) = NETWORK.unlearn(RandomLabel(variant, epochs=60, batch_size=16), range(12))
    x, y = NETWORK.records.x, NETWORK.records.y
    probability = np.exp(after.log_posteriors(x))[range(90), y]
    before = np.exp(NETWORK.original().fitted.log_posteriors(x))[range(90), y]
    assert probability[:12].mean() < probability[12:60].mean()
    assert probability[12:60].mean() > before[12:60].mean()
