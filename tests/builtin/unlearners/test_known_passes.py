"""The counted record passes of every unlearner stay what they are at its revision: they are results, which stores keep.

``known_passes.csv`` has a line for each. A store keeps counts under keys that change with the revision only, so a count
that changes without it would stand beside older ones. Do not mend a number here without raising the revision.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from unlearnbench.core.scenarios import Request
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.hooks.parameters import build
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.returned import record_passes
from unlearnbench.testing.trials import maker_for, small
from unlearnbench.testing.unlearner_trials import Trial, request_of, served

OURS = load_registry(discover=False)
NAMES = [entry.name for entry in OURS.all("unlearner")]
REQUESTS: list[Request] = [request_of(([3, 4, 5], [])), request_of(([1], []), ([7], []))]
"""One of three records, and one of two steps of a record each."""


def known() -> dict[str, dict[str, str]]:
    with Path(__file__).with_name("known_passes.csv").open(encoding="utf-8", newline="") as file:
        return {line["unlearner"]: line for line in csv.DictReader(file)}


def counts(unlearner: Unlearner, model: str) -> list[float]:
    """Return the passes of each request, with defaults on a small model of 40 records."""
    target = small(OURS.get("model", model))
    assert unlearner.refusal(target) is None
    chains = served(unlearner, Trial(model, target, maker_for(target)).original(), REQUESTS)
    return [record_passes(chain) for chain in chains]


def test_every_unlearner_has_a_line() -> None:
    assert sorted(known()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_the_revision(name: str) -> None:
    line, registered = known()[name], OURS.get("unlearner", name)
    unlearner = build(registered, {})
    assert isinstance(unlearner, Unlearner)
    found = counts(unlearner, line["model"])
    expected = [
        math.nan if told == "not counted" else float(told) for told in (line["three records"], line["two steps"])
    ]
    same = found == pytest.approx(expected, rel=1e-9, nan_ok=True)
    revision = registered.plugin.revision
    assert same or revision != int(line["revision"]), f"{name} counts {found}, before {expected}: raise its revision"
    assert (same, revision) == (True, int(line["revision"])), f"write the counts of revision {revision}: {found}"
