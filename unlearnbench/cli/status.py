"""``unlearnbench status``: the progress of a run, and what failed."""

from __future__ import annotations

from collections import Counter

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo, print_json, print_table
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.run.results import collect
from unlearnbench.run.session import SessionOptions, open_session

EXAMPLES = ("unlearnbench status quickstart", "unlearnbench status quickstart --json")
BAD = ("failed", "crashed", "invalid")


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    as_json: AsJson = False,
) -> None:
    """Print how many cells are done, missing, failed or skipped, and the reason of each failure."""
    session = open_session(suite, options)
    rows = [row for row in collect(session.plan, session.store) if row.seed is not None]
    counts = dict(Counter(row.status for row in rows))
    failures = [row for row in rows if row.status in BAD]
    if as_json:
        listed = [{**row.names, "seed": row.seed, "status": row.status, "reason": row.reason} for row in failures]
        print_json({"suite": session.plan.suite.name, "cells": counts, "failures": listed})
        return
    print_table(list(counts.items()), headers=("status", "cells"))
    if failures:
        echo()
        lines = [(*row.names.values(), row.seed, row.status, row.reason) for row in failures]
        print_table(lines, headers=(*failures[0].names, "seed", "status", "reason"))
