"""Requirements of unlearners that change the weights of a network: what they declare, and when weights move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from unlearnbench.core.records import Step
from unlearnbench.engine.gradients.passes import Pass
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, same_weights
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import FunctionUnlearner
from unlearnbench.hooks.records import UnlearnerPlugin
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check
from unlearnbench.testing.unlearner_trials import SERVE, all_trials

_RATE: Final = "learning_rate"


@check("Give the class and its record the same `sees`.")
def class_and_record_declare_the_same(subject: Subject) -> Iterator[str]:
    """What the class may read is what its record says."""
    record = subject.registered.plugin
    assert isinstance(record, UnlearnerPlugin)  # noqa: S101 - for the type checker
    if isinstance(subject.made, FunctionUnlearner) and subject.made.sees is not None:
        own, told = set(subject.made.sees), set[str](record.sees)
        if own != told:
            yield f"the class declares {_listed(own)}, its record {_listed(told)}"
    elif isinstance(subject.made, GradientUnlearner):
        yield "the class declares nothing that it sees"


@check("Leave the network alone where there is nothing to forget, unless the method trains on the retain set.")
def without_a_retain_set_nothing_to_forget_changes_nothing(subject: Subject) -> Iterator[str]:
    """A gradient method that does not see the retain set moves no weight where no record is to be forgotten."""
    if isinstance(subject.made, GradientUnlearner) and "retain-set" not in (subject.made.sees or ()):
        for name, before, after in _networks(subject, subject.made, forget=0):
            if not same_weights(before.module, after.module):
                yield f"{name}: the weights move although there is nothing to forget"


@check("Move weights by the optimizer only, so that a learning rate of 0 moves none.")
def a_learning_rate_of_zero_moves_nothing(subject: Subject) -> Iterator[str]:
    """With a learning rate of 0 all parameters are those of the original, to the bit; edits are exempt."""
    rates = dict.fromkeys(_rates(subject.made), 0.0)
    if rates and not _edits(subject):
        for name, before, after in _networks(subject, replace(subject.made, **rates)):
            if not all(map(_equal, before.module.parameters(), after.module.parameters())):
                yield f"{name}: parameters move at a learning rate of 0"


@check("Hand the optimizer the parameters of the copy that is returned.")
def a_learning_rate_above_zero_moves_the_network(subject: Subject) -> Iterator[str]:
    """With the default learning rate the weights change; what measures the network may end before its first step."""
    if _rates(subject.made) and not _measures(subject):
        for name, before, after in _networks(subject, subject.made):
            if same_weights(before.module, after.module):
                yield f"{name}: no weight moves"


def _networks(subject: Subject, made: FunctionUnlearner, forget: int = 5) -> Iterator[tuple[str, HasModule, HasModule]]:
    """Yield each model's name, and its network before and after records are forgotten."""
    for trial in all_trials(subject):
        state = made.prepare(trial.original())
        after = made.serve(state, Step(trial.original().data.ids[:forget]), SERVE).fitted
        if isinstance(state.fitted, HasModule) and isinstance(after, HasModule):
            yield trial.name, state.fitted, after


def _rates(made: Any) -> list[str]:
    """Return the parameters that are learning rates, by their names."""
    fields = getattr(made, "__dataclass_fields__", {}) if isinstance(made, FunctionUnlearner) else {}
    return [name for name in fields if name.endswith(_RATE)]


def _measures(subject: Subject) -> bool:
    return any(each.measure for each in _passes(subject))


def _edits(subject: Subject) -> bool:
    """Return whether it edits the network before its first pass or before a later one."""
    made = subject.made
    own = isinstance(made, GradientUnlearner) and type(made).edit is not GradientUnlearner.edit
    return own or any(each.edit for each in _passes(subject))


def _passes(subject: Subject) -> list[Pass]:
    made, trials = subject.made, all_trials(subject)
    if not isinstance(made, GradientUnlearner) or not trials:
        return []
    return [each for stage in made.stages(trials[0].original()) for each in stage.passes]


def _equal(one: Any, other: Any) -> bool:
    return np.array_equal(one.detach().cpu().numpy(), other.detach().cpu().numpy())


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


CHECKS: Final = (
    class_and_record_declare_the_same,
    without_a_retain_set_nothing_to_forget_changes_nothing,
    a_learning_rate_of_zero_moves_nothing,
    a_learning_rate_above_zero_moves_the_network,
)
