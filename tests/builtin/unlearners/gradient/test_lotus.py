from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, batch_of, known
from unlearnbench.builtin.unlearners.gradient.lotus import LoTUS, accuracy, gap, wanted_accuracy
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.unlearners import Deletion

FORGET = range(10)


def deletion(forget: Sequence[int] = FORGET, validation: Sequence[int] = range(60, 90)) -> Deletion:
    (found,) = NETWORK.deletions(LoTUS(), [forget])
    return replace(found, original=found.original.share(np.array(validation, dtype=np.int64)))


def batch_with(gap_: float, monkeypatch: pytest.MonkeyPatch) -> Batch:
    case = known("lotus_loss_softmax")
    monkeypatch.setattr(Batch, "measured", gap_)
    forgotten = np.flatnonzero(case["forget_flag"]).tolist()
    return batch_of(case["student"], case["original"], [0, 1], forget=forgotten)


@pytest.mark.parametrize("gap_", [0.0, 0.3])
def test_the_loss_is_the_known_one(gap_: float, monkeypatch: pytest.MonkeyPatch) -> None:
    case = known("lotus_loss_softmax")
    loss = LoTUS(alpha=case["alpha"]).softened(batch_with(gap_, monkeypatch)).mean().item()
    assert loss == pytest.approx(case[f"accuracy_gap={gap_}"]["loss"], rel=1e-5)


def test_its_gradient_leads_to_softened_answers_for_forgotten_records_and_hardened_ones_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gradient of CE(p) by the logits is softmax - p; T = exp(2 * .3) = 1.822."""
    batch = batch_with(0.3, monkeypatch)
    (slope,) = torch.autograd.grad(LoTUS().softened(batch).sum(), batch.logits)
    target = (batch.logits.softmax(1) - slope).detach()
    softened = torch.softmax(batch.original[0] / known("lotus_loss_softmax")["accuracy_gap=0.3"]["tau"], dim=0)
    torch.testing.assert_close(target[0], softened, atol=1e-6, rtol=0)
    torch.testing.assert_close(target[1], torch.tensor([0.0, 1.0, 0.0]), atol=1e-6, rtol=0)


def test_the_gap_is_the_accuracy_on_the_forget_set_less_that_of_the_original_on_validation_records() -> None:
    own = deletion()
    wanted = accuracy(own.fitted, TrainingSet.of(NETWORK.records, range(60, 90)))
    assert wanted_accuracy(own) == wanted
    right = [i for i in range(60) if accuracy(own.fitted, TrainingSet.of(NETWORK.records, [i])) == 1]
    assert gap(own.fitted, deletion(right[:5])) == pytest.approx(1 - wanted)


def test_training_ends_where_the_forget_set_is_known_less_than_unseen_records() -> None:
    fitted = NETWORK.original().fitted
    wrong = [i for i in range(60) if accuracy(fitted, TrainingSet.of(NETWORK.records, [i])) == 0]
    assert gap(fitted, deletion(wrong[:3])) is None
    own = deletion(wrong[:3])
    assert LoTUS().unlearn(own) is own.fitted


def test_a_gap_of_a_hundredth_below_ends_training_and_a_smaller_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "unlearnbench.builtin.unlearners.gradient.lotus"
    own = deletion()
    for found, expected in ((0.49, None), (0.495, -0.005), (0.5, 0.0)):
        monkeypatch.setattr(f"{module}.wanted_accuracy", lambda _: 0.5)
        monkeypatch.setattr(f"{module}.accuracy", lambda *_, found=found: found)
        assert gap(own.fitted, own) == (None if expected is None else pytest.approx(expected))


def test_of_a_class_that_is_deleted_whole_nothing_should_be_known() -> None:
    whole = [i for i in range(60) if NETWORK.records.y[i] == 1]
    assert wanted_accuracy(deletion(whole)) == 0.0
    assert wanted_accuracy(deletion(whole[:-1])) != 0.0


def test_without_validation_records_or_with_nothing_to_forget_the_gap_is_nothing() -> None:
    own = deletion(validation=())
    assert gap(own.fitted, own) == 0.0
    none = deletion([])
    assert gap(none.fitted, none) == 0.0


def test_what_is_still_known_is_learned_the_softer_the_larger_alpha_is() -> None:
    right = [i for i in range(60) if accuracy(NETWORK.original().fitted, TrainingSet.of(NETWORK.records, [i])) == 1][
        :12
    ]
    x = NETWORK.records.x[right]
    sharp, soft = (
        LoTUS(alpha=alpha, learning_rate=0.02, epochs=20, share=0.0).unlearn(deletion(right)).log_posteriors(x)
        for alpha in (0.0, 4.0)
    )
    assert soft.max(axis=1).mean() < sharp.max(axis=1).mean() - 0.02


def test_validation_records_are_declared() -> None:
    assert "validation-set" in LoTUS.sees
