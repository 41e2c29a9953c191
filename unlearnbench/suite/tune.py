"""Reads the keys ``tune`` and ``trials`` of a suite."""

from __future__ import annotations

import math
from dataclasses import replace

from unlearnbench.core.ranges import Choice, Range
from unlearnbench.suite.node import Node
from unlearnbench.suite.tuning import UNSAID, TrialRecord, Tuning

MOST_TRIALS = 10_000
MOST_EPISODES = 1000


def read_tuning(node: Node) -> Tuning:
    """Read the key ``tune``."""
    fields = node.fields(("trials", "originals", "requests", "passes", "knobs", "space"), required=("space",))
    most = {"trials": (1, MOST_TRIALS), "originals": (1, MOST_EPISODES), "requests": (1, MOST_EPISODES)}
    numbers = {name: fields[name].integer(*limits) for name, limits in most.items() if name in fields}
    space = {name: _values(values) for name, values in fields["space"].mapping().items()}
    if not space:
        fields["space"].fail("must name at least one parameter")
    tuning = Tuning(space, "knobs" not in fields or _boolean(fields["knobs"]), **numbers)
    return replace(tuning, passes=_passes(fields["passes"])) if "passes" in fields else tuning


def read_trials(node: Node) -> tuple[TrialRecord, ...]:
    """Read the key ``trials``."""
    return tuple(map(_trial, node.items("trials")))


def _trial(node: Node) -> TrialRecord:
    given = ("unlearner", "trial", "values")
    fields = node.fields((*given, *UNSAID), required=given)
    return TrialRecord(
        fields["unlearner"].text(),
        fields["trial"].integer(1, MOST_TRIALS),
        {name: _plain(value) for name, value in fields["values"].mapping().items()},
        _objective(fields["objective"]) if "objective" in fields else None,
        "chosen" in fields and _boolean(fields["chosen"]),
        fields["reason"].text() if "reason" in fields else "",
    )


def _objective(node: Node) -> float:
    if not 0 <= (found := node.number()) <= 1:
        node.fail(f"must be a number from 0 to 1, got {found}")
    return found


def _passes(node: Node) -> float:
    if not 0 < (passes := node.number()) < math.inf:
        node.fail(f"must be a number above 0, got {passes}")
    return passes


def _boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        node.fail("must be true or false")
    return node.value


def _values(node: Node) -> Range | Choice:
    if isinstance(node.value, list):
        return Choice(tuple(_plain(item) for item in node.items("values")))
    fields = node.fields(("low", "high", "log"), required=("low", "high"))
    for name in ("low", "high"):
        fields[name].number()
    log = "log" in fields and _boolean(fields["log"])
    low, high = (fields[name].value for name in ("low", "high"))
    assert isinstance(low, int | float) and isinstance(high, int | float)  # noqa: S101, PT018 - checked above, for mypy
    try:
        return Range(low, high, log)
    except ValueError as error:
        node.fail(str(error))


def _plain(node: Node) -> object:
    if not isinstance(node.value, str | int | float | bool):
        node.fail("must be a number, a word, or true or false")
    return node.value
