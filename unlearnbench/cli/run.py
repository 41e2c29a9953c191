"""``unlearnbench run``: run a suite, or go on where an earlier run stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import Workers
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor
from unlearnbench.report.leaderboard import sections
from unlearnbench.report.publication import Publication
from unlearnbench.report.site.tracks import samples
from unlearnbench.run.executors.processes import ProcessExecutor
from unlearnbench.run.instances import default_ref
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Rerun, Runner
from unlearnbench.run.session import Session, SessionOptions, open_session

EXAMPLES = (
    "unlearnbench run quickstart",
    "unlearnbench run my-suite.yaml --only model=logistic-regression --seed 7",
    "unlearnbench run quickstart --publish",
)

FAILED = ("failed", "crashed")


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    rerun: Annotated[Rerun, typer.Option("--rerun", help="What to do again of what was done before.")] = "failed",
    executor: Annotated[
        str, typer.Option("--executor", metavar="NAME", help="The plug-in that does the work.")
    ] = "serial",
    workers: Workers = 1,
    memory: Annotated[
        str,
        typer.Option(
            "--memory",
            metavar="SIZE",
            help="With --workers: no more of them than fit into SIZE, e.g. 4GB, beside this process, by what one held "
            "at most so far; the first works alone until that is known.",
        ),
    ] = "",
    publish: Annotated[bool, typer.Option("--publish", help="Write results.json for a leaderboard.")] = False,
    leaderboards: Annotated[Path, typer.Option("--leaderboards", metavar="DIR", help="Where --publish writes.")] = Path(
        "leaderboards"
    ),
) -> None:
    """Run a suite: train, unlearn, attack, measure, and print the leaderboard.

    What the store already holds is not done again, so an interrupted run goes on where it stopped. Exits with 0 when
    all cells are done, 1 when some failed, 2 on a mistake in the suite or the flags.
    """
    if publish and (options.only or options.seed is not None or options.profile != "full"):
        raise UserError("--publish: publishes whole suites only; leave out --only, --seed and --profile")
    if workers > 1 and executor != "serial":
        raise UserError(f"--workers: {executor} has its own way to work; leave out --workers or --executor")
    if memory and workers == 1:
        raise UserError("--memory: says how many workers fit; give --workers too, 2 or more")
    pool = ProcessExecutor(workers, memory) if workers > 1 else None
    session = open_session(suite, options)
    work = pool or session.instances.make(default_ref(session.registry, "executor", executor), Executor)
    outcome = Runner(session.instances, session.store, work).run(session.plan, rerun)
    rows = collect(session.plan, session.store)
    typer.echo("\n".join(section.text("simple") for section in sections(samples(rows))))
    typer.echo(f"{outcome.done} cells done, {outcome.failed} failed, {outcome.skipped} skipped; store: {options.store}")
    if publish:
        _publish(session, rows, leaderboards)
    if outcome.failed:
        reasons = Counter(
            f"{row.status}: {row.reason}" for row in rows if row.status in FAILED and row.seed is not None
        )
        typer.echo("\n".join(f"{count} cells {reason}" for reason, count in reasons.items()), err=True)
        raise typer.Exit(1)


def _publish(session: Session, rows: Sequence[Row], leaderboards: Path) -> None:
    publication = Publication.of(session.plan, rows, session.store)
    typer.echo(f"wrote {publication.write(leaderboards)}")
