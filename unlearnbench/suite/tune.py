"""Reads the key ``tune`` of a suite."""

from __future__ import annotations

import math
from dataclasses import replace

from unlearnbench.core.ranges import Choice, Range
from unlearnbench.suite.node import Node
from unlearnbench.suite.tuning import Tuning

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
