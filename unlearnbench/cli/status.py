"""``unlearnbench status``: the progress of a run, and what failed."""

from __future__ import annotations

from collections import Counter

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo, print_json, print_table
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.core.executors import FAILURES
from unlearnbench.run.results import collect_states
from unlearnbench.run.session import Session, SessionOptions, open_session

EXAMPLES = ("unlearnbench status quickstart", "unlearnbench status quickstart --json")
HEADERS = ("status", "episodes", "cells")
BAD = (*FAILURES, "invalid")


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    as_json: AsJson = False,
) -> None:
    """Print how much of a run is done, missing, failed or skipped, and the reason of each failure.

    Counts cells, and episodes: an original model and its deletion requests, which a run makes before it evaluates any
    cell.
    """
    session = open_session(suite, options)
    rows = collect_states(session.plan, session.store)
    cells, episodes = Counter(str(row.status) for row in rows), _episodes(session)
    failures = [row for row in rows if row.status in BAD]
    if as_json:
        listed = [{**row.names, "seed": row.seed, "status": row.status, "reason": row.reason} for row in failures]
        counts = {"cells": dict(cells), "episodes": dict(episodes)}
        print_json({"suite": session.plan.suite.name, **counts, "failures": listed})
        return
    print_table([(status, episodes[status], cells[status]) for status in cells | episodes], headers=HEADERS)
    if failures:
        echo()
        lines = [(*row.names.values(), row.seed, row.status, row.reason) for row in failures]
        print_table(lines, headers=(*failures[0].names, "seed", "status", "reason"))


def _episodes(session: Session) -> Counter[str]:
    stored = session.store.stored("episode", session.plan.episodes)
    left = session.plan.episodes.keys() - stored
    failures = (session.store.failure("episode", key) for key in left)
    states = Counter(failure.status if failure else "missing" for failure in failures)
    return Counter({"ok": len(stored)} if stored else {}) + states
