"""Requirements of all kinds: the class exists, derives from its contract, and can be constructed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from unlearnbench.core.attacks import Attack
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.defenses import Defense
from unlearnbench.core.executors import Executor
from unlearnbench.core.metrics import Metric
from unlearnbench.core.models import TargetModel
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.hooks.parameters import build, parameters, resolve
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered
from unlearnbench.testing.findings import check
from unlearnbench.testing.trials import Make, maker_for

BASES: Final[dict[Kind, type]] = {
    "dataset": Dataset,
    "model": TargetModel,
    "unlearner": Unlearner,
    "scenario": Scenario,
    "defense": Defense,
    "attack": Attack,
    "metric": Metric,
    "executor": Executor,
}


@dataclass(frozen=True, eq=False)
class Subject:
    """A plug-in that is checked."""

    registered: Registered
    made: Any
    """An instance of the plug-in."""
    models: tuple[Registered, ...] = ()
    """Target models to try an unlearner with."""

    @cached_property
    def records(self) -> Make:
        """A function that makes records which the target model accepts."""
        return maker_for(self.made)


@check("`factory` must name a class that derives from the contract of its kind: see docs/plugins.md.")
def is_of_its_kind(registered: Registered) -> Iterator[str]:
    """The factory leads to a class of the plug-in's kind."""
    cls, base = registered.load(), BASES[registered.kind]
    if not issubclass(cls, base):
        yield f"{cls.__qualname__} does not derive from unlearnbench's {base.__name__}"


@check("Write a docstring: what it does, the formula, units, the source, and one line per parameter.")
def has_a_docstring(registered: Registered) -> Iterator[str]:
    """The class has a docstring, which `plugins show` prints."""
    own = vars(registered.load()).get("__doc__") or ""
    if not own.strip() or own.startswith(f"{registered.load().__name__}("):  # what dataclasses write by themselves
        yield f"{registered.load().__qualname__} has no docstring"


@check("Type every argument of the constructor and give it a default that its own type allows.")
def can_be_made_with_defaults(registered: Registered) -> Iterator[str]:
    """All parameters are typed, have a default, and can be written to a suite file and read back."""
    for parameter in parameters(registered.load()):
        if parameter.required:
            yield f"the parameter {parameter.name} has no default"
            return
    resolved = resolve(registered, {})
    if resolve(registered, json.loads(json.dumps(resolved))) != resolved:
        yield "the defaults change when written to a file and read back"
    build(registered, {})


CHECKS: Final = (is_of_its_kind, has_a_docstring, can_be_made_with_defaults)
