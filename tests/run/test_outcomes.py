"""Models that collapsed or did not move are counted; those that only look like it are not."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest

from tests.run.one_episode import PARTS, Moves
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.scenarios.group import Group
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.controls.random_noise import RandomNoise
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.builtin.unlearners.gradient.gradient_ascent import GradientAscent
from unlearnbench.core.models import Fitted
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.run.episodes import Episode, observe
from unlearnbench.run.outcomes import Outcomes, collapsed

NETWORK = replace(PARTS, model=MLP(hidden=(8,), epochs=20, learning_rate=0.01), scenario=Group(4))


def episode(unlearner: Unlearner) -> Episode:
    return observe(replace(NETWORK, unlearner=unlearner))


class CopyOfTheNetwork(FunctionUnlearner):
    def unlearn(self, deletion: Deletion) -> Fitted:
        fitted = has_module(deletion.fitted)
        return fitted.with_module(copy.deepcopy(fitted.module))


# --- collapsed


@pytest.mark.parametrize(
    ("original", "unlearned", "constant", "expected"),
    [
        (0.9, 0.69, 0.5, True),  # more than half of the .4 above a constant answer is lost
        (0.9, 0.71, 0.5, False),
        (0.9, 0.1, 0.5, True),
        (0.84, 0.76, 0.76, True),  # it answers the same for all
        (0.78, 0.76, 0.76, False),  # the original hardly knew more
    ],
)
def test_the_floor_lies_half_way_between_a_constant_answer_and_the_original(
    original: float, unlearned: float, constant: float, expected: bool
) -> None:
    assert collapsed(*(np.array([value]) for value in (original, unlearned, constant))).tolist() == [expected]


def test_a_ruined_model_has_collapsed_and_a_sound_one_has_not() -> None:
    ruined = episode(GradientAscent(epochs=100, learning_rate=0.05))
    answers_alike = ruined.accuracy["train_unlearned"] == ruined.accuracy["constant"]
    assert ruined.collapsed.tolist() == answers_alike.tolist() == [False, True, False]
    for method in (Retrain(), NoUnlearning(), Finetune()):
        assert not episode(method).collapsed.any()


# --- unmoved


@pytest.mark.parametrize(
    "method", [NoUnlearning(), Finetune(learning_rate=0), CopyOfTheNetwork()], ids=lambda method: type(method).__name__
)
def test_the_original_in_any_guise_is_unmoved(method: Unlearner) -> None:
    assert episode(method).unmoved.tolist() == [True] * 3


@pytest.mark.parametrize("method", [Retrain(), RandomNoise(), Finetune()], ids=repr)
def test_another_model_has_moved(method: Unlearner) -> None:
    assert not episode(method).unmoved.any()


def test_where_nothing_is_deleted_nothing_has_to_move() -> None:
    """The last request of ``Moves`` deletes records, the second one of its steps does not."""
    moved = observe(replace(PARTS, unlearner=NoUnlearning(), scenario=Moves()))
    assert moved.unmoved.all()


def test_a_tree_that_comes_out_the_same_was_trained_again() -> None:
    assert not observe(PARTS).unmoved.any()


# --- as results show it


def test_marks_name_what_occurred_with_its_share() -> None:
    assert Outcomes(50).marks == ()
    assert Outcomes(50, collapsed=3).marks == ("collapsed 3/50",)
    assert (Outcomes(50, 3, 1) + Outcomes(50, 0, 1)).marks == ("collapsed 3/100", "unmoved 2/100")
