from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import NETWORK, known, weights
from unlearnbench.builtin.unlearners.gradient.bad_teacher import BadTeacher, taught_by_two


class Answers:
    """A batch with given answers of all three networks."""

    def __init__(self, case: dict[str, object]) -> None:
        self.logits = torch.tensor(case["student"])
        self.original = torch.tensor(case["competent"])
        self.untrained = torch.tensor(case["incompetent"])
        self.forgotten = torch.tensor(case["forget_flag"]).bool()
        self.n_classes = 3

    def teacher(self, name: str) -> torch.Tensor:
        return self.untrained

    def divergence(self, target: torch.Tensor) -> torch.Tensor:
        log_p, log_q = target.log_softmax(1), self.logits.log_softmax(1)
        return (log_p.exp() * (log_p - log_q)).sum(1)


def test_the_loss_is_the_known_one_a_mean_over_elements() -> None:
    case = known("bad_teacher_loss")
    loss = float(taught_by_two(Answers(case)).mean())  # type: ignore[arg-type]  # what the loss reads of a batch
    assert loss == pytest.approx(case["mean_over_elements_as_coded"])
    assert 3 * loss == pytest.approx(case["mean_over_batch"])


def test_the_untrained_network_is_drawn_for_each_version_and_has_nothing_of_the_original() -> None:
    method = BadTeacher()
    deletions = NETWORK.deletions(method, [[1], [1]])
    first, second, again = (method.teachers(deletion)["untrained"] for deletion in (*deletions, deletions[0]))
    values = [torch.cat([each.ravel() for each in module.parameters()]) for module in (first, second, again)]
    assert torch.equal(values[0], values[2])
    assert not torch.equal(values[0], values[1])
    assert not np.isin(values[0].detach().numpy(), weights(deletions[0].fitted)).any()


def test_it_goes_over_the_forget_set_and_three_tenths_of_the_retain_set() -> None:
    method = BadTeacher()
    (deletion,) = NETWORK.deletions(method, [range(10)])
    assert method.record_passes(deletion) * 3 * 50 == pytest.approx(10 + 15)


def test_the_forget_set_becomes_uncertain_and_the_retain_set_stays() -> None:
    (after,) = NETWORK.unlearn(BadTeacher(epochs=200, learning_rate=0.003, share=1.0), range(20))
    before = NETWORK.original().fitted
    moved = np.abs(np.exp(after.log_posteriors(NETWORK.records.x)) - np.exp(before.log_posteriors(NETWORK.records.x)))
    assert moved[:20].mean() > 1.5 * moved[20:60].mean()
