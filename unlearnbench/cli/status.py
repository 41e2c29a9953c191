"""``unlearnbench status``: how far a suite's run is, and what failed."""

from __future__ import annotations

from collections import Counter

import typer

from unlearnbench.cli.options import (
    DEFAULT_STORE,
    AsJson,
    DeviceOption,
    DisabledPlugins,
    Only,
    PluginFiles,
    ProfileOption,
    Seed,
    StoreDir,
    SuiteName,
)
from unlearnbench.cli.output import print_json, print_table
from unlearnbench.run.results import collect
from unlearnbench.run.session import open_session

EXAMPLES = ("unlearnbench status quickstart", "unlearnbench status quickstart --json")
BAD = ("failed", "timeout", "crashed", "invalid")


def command(
    suite: SuiteName,
    only: Only = None,
    store: StoreDir = DEFAULT_STORE,
    seed: Seed = None,
    device: DeviceOption = None,
    profile: ProfileOption = "full",
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Print how many cells are done, missing, failed or skipped, and the reason of each failure."""
    session = open_session(suite, store, only, seed, device, plugin_file, disable_plugin, profile)
    rows = [row for row in collect(session.plan, session.store) if row.seed is not None]
    counts = dict(Counter(row.status for row in rows))
    failures = [row for row in rows if row.status in BAD]
    if as_json:
        told = [{**row.names, "seed": row.seed, "status": row.status, "reason": row.reason} for row in failures]
        print_json({"suite": session.plan.suite.name, "cells": counts, "failures": told})
        return
    print_table(list(counts.items()), headers=("status", "cells"))
    if failures:
        typer.echo()
        lines = [(*row.names.values(), row.seed, row.status, row.reason) for row in failures]
        print_table(lines, headers=(*failures[0].names, "seed", "status", "reason"))
