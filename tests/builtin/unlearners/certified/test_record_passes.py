"""How many records methods on their own original read, over those of its training."""

from __future__ import annotations

import numpy as np
import pytest

from tests.builtin.unlearners.certified.conftest import original_of
from unlearnbench.builtin.unlearners.certified.certified_removal import CertifiedRemoval
from unlearnbench.builtin.unlearners.certified.deltagrad import DeltaGrad
from unlearnbench.builtin.unlearners.certified.descent_to_delete import DescentToDelete
from unlearnbench.builtin.unlearners.certified.langevin import Langevin
from unlearnbench.builtin.unlearners.certified.own_original import OwnOriginal
from unlearnbench.builtin.unlearners.certified.rewind_to_delete import RewindToDelete
from unlearnbench.core.records import Step
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.logistic.bounded import Problem


def passes(method: OwnOriginal, forget: int = 4, c: float = 1.0) -> float:
    state = method.prepare(original_of(c=c))
    return method.serve(state, Step(np.arange(forget)), SeedPath(1)).passes


def newton_steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the records that each Newton step reads from now on."""
    taken: list[int] = []
    step = Problem.newton_steps

    def counted(self: Problem, weights: np.ndarray) -> np.ndarray:
        taken.append(self.n)
        return step(self, weights)

    monkeypatch.setattr(Problem, "newton_steps", counted)
    return taken


def test_steps_taken_again_are_a_part_of_those_of_training() -> None:
    assert passes(RewindToDelete(steps=100, rewind=30)) == 0.3


def test_deltagrad_counts_the_gradients_it_computes_on_both_sets_and_changed_records_in_the_others() -> None:
    """Of ten steps the first two, the fifth and the ninth or so: t = 0, 1, 4, 8."""
    method = DeltaGrad(steps=10, exact=2, period=4, learning_rate=0.1)
    assert passes(method) == pytest.approx((4 * (96 + 100) + 6 * 4) / (10 * 96))


def test_a_newton_step_is_one_pass_over_as_many_as_training_took(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = newton_steps(monkeypatch)
    assert passes(CertifiedRemoval(), forget=1, c=0.1) == pytest.approx(1 / taken.count(100))


def test_training_again_counts_beside_the_step_that_was_not_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = newton_steps(monkeypatch)
    again = passes(CertifiedRemoval(sigma=1e-6))
    assert taken.count(96) > 2
    assert again == pytest.approx(taken.count(96) / taken.count(100))


def test_descent_may_cost_more_than_training(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = newton_steps(monkeypatch)
    assert passes(DescentToDelete(steps=50)) == pytest.approx(50 / taken.count(100))


def test_langevin_counts_the_steps_that_its_certificate_needs() -> None:
    method = Langevin(epsilon=5.0, sigma=1.0)
    few, many = passes(method, 1), passes(method, 40)
    assert 0 < few <= many


def test_a_step_in_which_nothing_changes_costs_nothing() -> None:
    assert passes(RewindToDelete(), forget=0) == 0
