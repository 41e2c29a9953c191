"""``unlearnbench results``: what a run found, as a table or as data."""

from __future__ import annotations

from typing import Annotated

import typer

from unlearnbench.cli.options import (
    DEFAULT_STORE,
    DeviceOption,
    DisabledPlugins,
    Only,
    PluginFiles,
    ProfileOption,
    Seed,
    StoreDir,
    SuiteName,
)
from unlearnbench.report.tables import Format, render
from unlearnbench.run.results import collect
from unlearnbench.run.session import open_session

EXAMPLES = (
    "unlearnbench results quickstart --only unlearner=retrain --only defense=none",
    "unlearnbench results quickstart --format json > results.json",
)


def command(
    suite: SuiteName,
    only: Only = None,
    style: Annotated[Format, typer.Option("--format", help="How to print.")] = "plain",
    store: StoreDir = DEFAULT_STORE,
    seed: Seed = None,
    device: DeviceOption = None,
    profile: ProfileOption = "full",
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Print one row a cell and seed, and the means over seeds. Cells that have not run say so."""
    session = open_session(suite, store, only, seed, device, plugin_file, disable_plugin, profile)
    typer.echo(render(collect(session.plan, session.store), style))
