"""``unlearnbench plan``: what a suite would run; nothing is run."""

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
from unlearnbench.run.cells import SHARED_AXES
from unlearnbench.run.session import open_session

EXAMPLES = ("unlearnbench plan quickstart", "unlearnbench plan quickstart --only model=lightgbm --json")


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
    """Print what would run: cells, episodes, models, and how much of it the store already holds."""
    session = open_session(suite, store, only, seed, device, plugin_file, disable_plugin, profile)
    summary = session.plan.summary(session.store)
    skipped = Counter((*(cell.labels[axis] for axis in SHARED_AXES), cell.skipped) for cell in session.plan.skipped)
    headers = (*SHARED_AXES, "because", "cells")
    lines = [(*told, count) for told, count in skipped.items()]
    if as_json:
        told = [dict(zip(headers, line, strict=True)) for line in lines]
        print_json({"suite": session.plan.suite.name, **summary, "skipped": told})
        return
    print_table(list(summary.items()))
    if lines:
        typer.echo("\nskipped:\n")
        print_table(lines, headers=headers)
