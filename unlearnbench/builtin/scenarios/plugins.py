"""The built-in scenarios."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.builtin.papers import CHEN
from unlearnbench.hooks.records import ScenarioPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.scenarios"


@hookimpl
def unlearnbench_scenarios() -> Iterator[ScenarioPlugin]:
    """Yield the scenarios."""
    yield ScenarioPlugin(
        name="single",
        summary="Each request deletes one record",
        factory=f"{_HERE}.single:Single",
        reference=CHEN,
    )
    yield ScenarioPlugin(
        name="group",
        summary="Each request deletes several records together",
        factory=f"{_HERE}.group:Group",
        reference=CHEN,
    )
    yield ScenarioPlugin(
        name="online",
        summary="Each request deletes some records and adds others",
        factory=f"{_HERE}.online:Online",
        reference=CHEN,
    )
    yield ScenarioPlugin(
        name="sequence",
        summary="Each request deletes records step by step, over several versions",
        factory=f"{_HERE}.sequence:Sequence",
        reference=CHEN,
    )
    yield ScenarioPlugin(
        name="retained",
        summary="Retained records against unseen records",
        factory=f"{_HERE}.retained:Retained",
        reference=CHEN,
    )
