"""Methods that compute the weights of all unlearned networks at once; models whose module is made when asked for."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pytest
import torch

from tests.engine.gradients.case import CONVOLUTIONAL, LINEAR, NETWORK, Case, weights
from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients import edited
from unlearnbench.engine.gradients.edits import WeightEdit, moved
from unlearnbench.engine.gradients.perceptron import with_weights
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion

every_case = pytest.mark.parametrize(
    "case", [NETWORK, LINEAR, CONVOLUTIONAL], ids=["network", "linear", "convolutional"]
)


class Draws(WeightEdit):
    """Adds a draw of the version's own to each weight, as often as records are forgotten; keeps how many were asked."""

    sees: ClassVar[tuple[str, ...]] = ("forget-set",)

    def __init__(self, scale: float = 0.01) -> None:
        self.scale, self.groups = scale, list[int]()

    def steps(self, deletions: Sequence[Deletion]) -> torch.Tensor:
        self.groups.append(len(deletions))
        size = len(weights(deletions[0].fitted))
        draws = [len(each.forget) * each.seeds.rng().normal(size=size) for each in deletions]
        return torch.from_numpy(self.scale * np.array(draws, dtype=np.float32))


@every_case
def test_a_step_is_added_to_the_weights_and_the_model_answers_by_them(case: Case) -> None:
    (deletion,) = case.deletions(Draws(), [[1, 2]])
    fitted, step = has_module(deletion.fitted), Draws().steps([deletion])[0]
    after = has_module(Draws().unlearn(deletion))
    module, done = copy.deepcopy(fitted.module), 0
    for parameter in module.parameters():
        parameter.data += step[done : done + parameter.numel()].view_as(parameter)
        done += parameter.numel()
    assert np.array_equal(weights(after), weights(fitted.with_module(module)))
    x = case.records.x
    assert np.array_equal(after.log_posteriors(x), fitted.with_module(module).log_posteriors(x))


@every_case
def test_the_model_is_a_trained_network_like_the_one_it_comes_from(case: Case) -> None:
    (after,), before = case.unlearn(Draws(), [1]), has_module(case.original().fitted)
    assert isinstance(after, HasModule)
    x, ids = after.inputs(case.records.x[:4]), np.arange(4)
    assert after.device == before.device
    assert torch.equal(x, before.inputs(case.records.x[:4]))
    assert len(after.blocks(after.module)) == len(before.blocks(before.module))
    assert not after.module.training
    logits = after.training_logits(after.module, x, ids, seed=0, epoch=0)
    assert torch.equal(logits, before.training_logits(after.module, x, ids, seed=0, epoch=0))
    again = after.with_module(after.module)
    assert np.array_equal(again.log_posteriors(case.records.x), after.log_posteriors(case.records.x))


def test_a_module_is_made_once_and_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.nn.Module] = []

    def counted(module: torch.nn.Module, values: Sequence[torch.Tensor]) -> torch.nn.Module:
        made.append(with_weights(module, values))
        return made[-1]

    monkeypatch.setattr(edited, "with_weights", counted)
    one, other = map(has_module, NETWORK.unlearn(Draws(), [1], [2]))
    assert len(made) == 2  # has_module looks for it
    assert [one.module, other.module] == made
    Draws().unlearn_all(NETWORK.deletions(Draws(), [[1], [2]]))
    assert len(made) == 2


def pickled(model: Fitted) -> Fitted:
    restored: Fitted = pickle.loads(pickle.dumps(model))  # noqa: S301 - made here
    return restored


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_it_can_be_copied_before_its_module_is_made(copied: Callable[[Fitted], Fitted]) -> None:
    (after,) = NETWORK.unlearn(Draws(), [1])
    assert np.array_equal(weights(copied(after)), weights(after))


def test_steps_are_asked_for_together_where_deletions_unlearn_from_one_model() -> None:
    method, requests = Draws(), [Request((Step(np.array([k])), Step(np.array([k + 9])))) for k in range(3)]
    served = method.serve_all(method.prepare(NETWORK.original()), requests, SeedPath(1))
    assert method.groups == [3, 1, 1, 1]  # later steps unlearn from networks of their own
    alone = [method.serve_all(method.prepare(NETWORK.original()), requests, SeedPath(1))[k] for k in range(3)]
    for mine, its in zip(served, alone, strict=True):
        assert np.array_equal(weights(mine[-1].fitted), weights(its[-1].fitted))


def test_nothing_is_served_where_nothing_is_asked_for() -> None:
    assert Draws().unlearn_all([]) == []


def test_what_does_not_move_is_the_very_model_also_beside_what_moves() -> None:
    deletions = NETWORK.deletions(Draws(), [[], [1]])
    still, moves = Draws().unlearn_all(deletions)
    assert still is deletions[0].fitted
    assert moves is not deletions[1].fitted


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_weights_that_overflow_are_told_in_a_line(value: float) -> None:
    fitted = has_module(NETWORK.original().fitted)
    steps = torch.zeros(2, len(weights(fitted)))
    steps[1, 7] = value
    with pytest.raises(UserError, match="overflowed: lower learning_rate"):
        moved(fitted, steps)


def test_buffers_stay() -> None:
    (after,), before = CONVOLUTIONAL.unlearn(Draws(), [1]), has_module(CONVOLUTIONAL.original().fitted)
    pairs = zip(has_module(after).module.buffers(), before.module.buffers(), strict=True)
    assert [torch.equal(mine, its) and mine is not its for mine, its in pairs] == [True] * 3


def test_records_are_counted_by_the_method_itself() -> None:
    class Reads(Draws):
        def records_read(self, deletion: Deletion) -> int:
            return 59 * len(deletion.forget)

    (deletion,) = NETWORK.deletions(Reads(), [[1]])
    assert Reads().record_passes(deletion) == pytest.approx(1 / NETWORK.model.epochs)  # type: ignore[attr-defined]  # a network has epochs
