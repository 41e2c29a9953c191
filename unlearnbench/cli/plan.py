"""``unlearnbench plan``: what a suite would run; nothing is run."""

from __future__ import annotations

from unlearnbench.cli.options import (
    DEFAULT_STORE,
    AsJson,
    DeviceOption,
    DisabledPlugins,
    Only,
    PluginFiles,
    Seed,
    StoreDir,
    SuiteName,
)
from unlearnbench.cli.output import print_json, print_table
from unlearnbench.cli.session import open_session

EXAMPLES = ("unlearnbench plan quickstart", "unlearnbench plan quickstart --only model=lightgbm --json")


def command(
    suite: SuiteName,
    only: Only = None,
    store: StoreDir = DEFAULT_STORE,
    seed: Seed = None,
    device: DeviceOption = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Print what would run: cells, episodes, models, and how much of it the store already holds."""
    session = open_session(suite, store, only, seed, device, plugin_file, disable_plugin)
    summary = session.plan.summary(session.store)
    skipped = sorted({(*cell.names.values(), cell.skipped) for cell in session.plan.skipped})
    if as_json:
        print_json({"suite": session.plan.suite.name, **summary, "skipped": [list(cell) for cell in skipped]})
        return
    print_table(list(summary.items()))
    if skipped:
        print_table(
            skipped, headers=("dataset", "model", "unlearner", "scenario", "defense", "attack", "skipped because")
        )
