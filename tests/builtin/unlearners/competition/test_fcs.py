from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, batch_of, known
from unlearnbench.builtin.unlearners.competition.fcs import FCS, from_uniform
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Pass


def pair() -> Batch:
    case = known("fcs")
    forget, retain = case["forget_logits"], case["retain_logits"]
    batch = batch_of(forget, forget, [0] * len(forget))
    batch.beside = batch_of(retain, retain, [0] * len(retain))
    return batch


def test_the_first_loss_is_the_known_divergence_from_uniform_posteriors() -> None:
    assert from_uniform(pair()).mean().item() == pytest.approx(known("fcs")["uniform_kl"], rel=1e-5)


def test_the_contrast_is_the_known_one() -> None:
    case = known("fcs")
    assert FCS(temperature=case["T"]).contrast(pair()).mean().item() == pytest.approx(case["contrastive"], rel=1e-6)


def test_the_contrast_is_over_the_retained_records_of_a_forgotten_one() -> None:
    """A softmax over the forgotten records, or of normalized logits, is another loss."""
    batch = pair()
    products = batch.logits @ batch.beside.logits.T / 1.15
    normal = torch.nn.functional.normalize
    cosines = normal(batch.logits, dim=1) @ normal(batch.beside.logits, dim=1).T / 1.15
    found = FCS().contrast(batch).mean().item()
    assert found == pytest.approx(-products.log_softmax(dim=1).mean().item(), rel=1e-6)
    for other in (products.log_softmax(dim=0), cosines.log_softmax(dim=1)):
        assert found != pytest.approx(-other.mean().item(), rel=1e-3)


def passes() -> list[Pass]:
    first, second = FCS(epochs=2).stages(NETWORK.original())
    return [*first.passes, *second.passes]


def test_one_pass_to_uniform_answers_then_contrast_and_retain_set_in_turns() -> None:
    assert [(pass_.terms[0].over, pass_.terms[0].beside) for pass_ in passes()] == [
        ("forget", None), ("forget", "retain"), ("retain", None), ("forget", "retain"), ("retain", None)
    ]  # fmt: skip


def test_the_three_losses_have_optimizers_of_their_own() -> None:
    first, second = FCS().stages(NETWORK.original())
    (retain,) = {pass_.optimizer for pass_ in second.passes if pass_.optimizer}
    found = [
        (each.learning_rate, each.momentum, each.weight_decay) for each in (first.optimizer, second.optimizer, retain)
    ]
    assert found == [(0.005, 0.9, 0), (3e-4, 0.9, 0), (0.004, 0.9, 0.01)]


def test_the_contrast_has_one_cosine_over_the_steps_of_all_epochs() -> None:
    contrasts = [pass_ for pass_ in passes() if pass_.terms[0].beside]
    rates = [3e-4 * pass_.rate_at(done) for pass_ in contrasts for done in (0, 0.5)]
    expected = [1e-6 + (3e-4 - 1e-6) * (1 + np.cos(np.pi * step / 4)) / 2 for step in range(4)]
    assert rates == pytest.approx(expected)


def test_forgotten_records_come_nearer_to_equal_posteriors() -> None:
    (after,) = NETWORK.unlearn(FCS(epochs=0, learning_rate=0.05), range(20))
    x = NETWORK.records.x[:20]
    before, now = (each.log_posteriors(x) for each in (NETWORK.original().fitted, after))
    assert now.mean() > before.mean()  # the mean log-posterior is largest where all are equal
