"""``unlearnbench run``: run a suite, or go on where an earlier run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import (
    DEFAULT_STORE,
    DeviceOption,
    DisabledPlugins,
    Only,
    PluginFiles,
    Seed,
    StoreDir,
    SuiteName,
)
from unlearnbench.cli.session import Session, open_session
from unlearnbench.run.runner import Outcome, Rerun, Runner

EXAMPLES = (
    "unlearnbench run quickstart",
    "unlearnbench run my-suite.yaml --only model=logistic-regression --seed 7",
    "unlearnbench run quickstart --publish",
)


def command(
    suite: SuiteName,
    only: Only = None,
    store: StoreDir = DEFAULT_STORE,
    seed: Seed = None,
    device: DeviceOption = None,
    rerun: Annotated[Rerun, typer.Option("--rerun", help="What to do again of what was done before.")] = "failed",
    publish: Annotated[bool, typer.Option("--publish", help="Write results.json for a leaderboard.")] = False,
    leaderboards: Annotated[Path, typer.Option("--leaderboards", metavar="DIR", help="Where --publish writes.")] = Path(
        "leaderboards"
    ),
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Run a suite: train, unlearn, attack, measure, and print the leaderboard.

    What the store already holds is not done again, so an interrupted run goes on where it stopped. Exits with 0 when
    all cells are done, 1 when some failed, 2 on a mistake in the suite or the flags.
    """
    from unlearnbench.report.leaderboard import sections
    from unlearnbench.run.results import collect

    session = open_session(suite, store, only, seed, device, plugin_file, disable_plugin)
    outcome = _run(session, rerun)
    rows = collect(session.plan, session.store)
    typer.echo("\n".join(section.text("simple") for section in sections(rows)))
    typer.echo(f"{outcome.done} cells done, {outcome.failed} failed, {outcome.skipped} skipped; store: {store}")
    if publish:
        _publish(session, leaderboards)
    if outcome.failed:
        typer.echo(f"see why: unlearnbench status {suite}", err=True)
        raise typer.Exit(1)


def _run(session: Session, rerun: Rerun) -> Outcome:
    from unlearnbench.run.executors.serial import SerialExecutor

    return Runner(session.registry, session.store, SerialExecutor()).run(session.plan, rerun)


def _publish(session: Session, leaderboards: Path) -> None:
    from unlearnbench.report.publication import Publication
    from unlearnbench.run.environment import fingerprint
    from unlearnbench.run.results import collect

    publication = Publication.of(session.plan, collect(session.plan, session.store), fingerprint())
    typer.echo(f"wrote {publication.write(leaderboards)}")
