"""``unlearnbench plan``: what a suite would run. Nothing is run."""

from __future__ import annotations

from collections import Counter

import typer

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import print_json, print_table
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.run.cells import SHARED_AXES
from unlearnbench.run.session import SessionOptions, open_session

EXAMPLES = ("unlearnbench plan quickstart", "unlearnbench plan quickstart --only model=lightgbm --json")


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    as_json: AsJson = False,
) -> None:
    """Print what a suite would run, and what the store holds of it.

    Counts cells, episodes and models. Data sets are loaded and plug-in files imported; nothing is trained.
    """
    session = open_session(suite, options)
    summary = session.plan.summary(session.store)
    skipped = Counter((*(cell.labels[axis] for axis in SHARED_AXES), cell.skipped) for cell in session.plan.skipped)
    headers = (*SHARED_AXES, "because", "cells")
    lines = [(*cell, count) for cell, count in skipped.items()]
    if as_json:
        listed = [dict(zip(headers, line, strict=True)) for line in lines]
        print_json({"suite": session.plan.suite.name, **summary, "skipped": listed})
        return
    print_table(list(summary.items()))
    if lines:
        typer.echo("\nskipped:\n")
        print_table(lines, headers=headers)
