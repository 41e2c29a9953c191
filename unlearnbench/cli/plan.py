"""``unlearnbench plan``: what a suite would run. Nothing is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo, print_json, print_table
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.run.cells import SHARED_AXES, Cell
from unlearnbench.run.session import SessionOptions, open_session

HEADERS = (*SHARED_AXES, "because", "cells")
EXAMPLES = ("unlearnbench plan quickstart", "unlearnbench plan quickstart --only model=lightgbm --json")


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    as_json: AsJson = False,
) -> None:
    """Print what a suite would run, and what the store holds of it.

    Counts cells, episodes and models. Data sets are loaded; nothing is trained.
    """
    session = open_session(suite, options)
    summary = session.plan.summary(session.store)
    absent = {"skipped": _reasons(session.plan.skipped), "failed": _reasons(session.plan.failed)}
    if as_json:
        listed = {name: [dict(zip(HEADERS, line, strict=True)) for line in lines] for name, lines in absent.items()}
        print_json({"suite": session.plan.suite.name, **summary, **listed})
        return
    print_table(list(summary.items()))
    for name, lines in absent.items():
        if lines:
            echo(f"\n{name}:\n")
            print_table(lines, headers=HEADERS)


def _reasons(cells: Iterable[Cell]) -> list[tuple[object, ...]]:
    """Return a line for each reason and what it concerns, with the number of its cells."""
    counts = Counter((*(cell.labels[axis] for axis in SHARED_AXES), cell.reason) for cell in cells)
    return [(*cell, count) for cell, count in counts.items()]
