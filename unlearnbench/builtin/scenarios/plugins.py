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
    yield ScenarioPlugin(
        name="class",
        summary="Each request deletes records of one class, or the whole class",
        factory=f"{_HERE}.one_class:Class",
    )
    yield ScenarioPlugin(
        name="column-group",
        summary="Each request deletes records that share a value of a column",
        factory=f"{_HERE}.column_group:ColumnGroup",
    )
    yield ScenarioPlugin(
        name="outlier",
        summary="Each request deletes records that are far from all others",
        factory=f"{_HERE}.outlier:Outlier",
        reference="Ramaswamy et al. 2000, doi 10.1145/342009.335437",
    )
    yield ScenarioPlugin(
        name="memorised",
        summary="Each request deletes records that models memorise little, half or much",
        factory=f"{_HERE}.memorised:Memorised",
        reference="Feldman and Zhang 2020, arXiv 2008.03703",
    )
    yield ScenarioPlugin(
        name="least-confident",
        summary="Each request deletes records that models not trained on them are least sure of",
        factory=f"{_HERE}.least_confident:LeastConfident",
    )
    yield ScenarioPlugin(
        name="neighbours",
        summary="Each request deletes neighbours of one record",
        factory=f"{_HERE}.neighbours:Neighbours",
    )
    yield ScenarioPlugin(
        name="mislabelled",
        summary="Each request deletes records whose label is wrong",
        factory=f"{_HERE}.mislabelled:MislabelledRecords",
    )
    yield ScenarioPlugin(
        name="canary",
        summary="Each request deletes canaries, which the data set put there",
        factory=f"{_HERE}.canary:Canary",
        reference="Aerni et al. 2024, arXiv 2404.17399",
    )
