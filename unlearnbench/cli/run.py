"""``unlearnbench run``: run a suite, or resume an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import (
    LEADERBOARDS,
    ExecutorText,
    LeaderboardsDir,
    Memory,
    MemoryLimit,
    SchedulerFile,
    Timeout,
    Workers,
)
from unlearnbench.cli.output import echo
from unlearnbench.cli.session import SuiteName, told_if_stopped, with_session_options
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import FAILURES
from unlearnbench.core.messages import counted, plural
from unlearnbench.report.leaderboard import sections
from unlearnbench.report.publication import Publication
from unlearnbench.report.roles import Roles
from unlearnbench.report.tracks import TRACKS, tables
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Rerun, Runner
from unlearnbench.run.session import Session, SessionOptions, open_session
from unlearnbench.run.shards import Shard

EXAMPLES = (
    "unlearnbench run quickstart",
    "unlearnbench run my-suite.yaml --only model=logistic-regression --seed 7",
    "unlearnbench run quickstart --executor processes:workers=4,memory=4GB",
    "unlearnbench run quickstart --executor dask:scheduler=tls://10.0.0.5:8786,ca=ca.pem,cert=me.pem,key=me.key",
    "unlearnbench run my-suite.yaml --shard 1/8 --store shard-1",
    "unlearnbench run quickstart --publish",
)

MOST_REASONS = 20
"""How many reasons of failures are printed, the most frequent first."""
ShardText = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="Run the I-th of N parts of the suite, each into a store of its own; then see `unlearnbench store merge`.",
    ),
]


@with_session_options("run_plugin_files")
def command(
    suite: SuiteName,
    options: SessionOptions,
    rerun: Annotated[
        Rerun,
        typer.Option("--rerun", help="Which work to do again: what failed, nothing (never), or all, stored or not."),
    ] = "failed",
    executor: ExecutorText = None,
    workers: Workers = 1,
    memory: Memory = "",
    scheduler_file: SchedulerFile = "",
    timeout: Timeout = None,
    memory_limit: MemoryLimit = "",
    shard: ShardText = None,
    publish: Annotated[bool, typer.Option("--publish", help="Write results.json for a leaderboard.")] = False,
    leaderboards: LeaderboardsDir = LEADERBOARDS,
) -> None:
    """Run a suite: train, unlearn, attack, measure, and print the leaderboard.

    Work whose results are in the store is not done again, so an interrupted run resumes where it stopped. The plug-in
    files that the suite names are executed. The exit code is 0 if all cells are done, 1 if some failed or none can run,
    2 if the suite or an option is wrong or the store cannot be read or written, 130 or 143 if it was stopped.
    """
    part = None if shard is None else Shard.parse(shard)
    if publish and (options.only or options.seed is not None or options.profile != "full" or part):
        raise UserError(
            "--publish writes the results of whole suites only; leave out --only, --seed, --profile and --shard"
        )
    session = open_session(suite, replace(options, run_plugin_files=True))
    if part:
        session = replace(session, plan=part.of_plan(session.plan))
    limits = session.plan.suite.limits.replaced_by(timeout, memory_limit)
    work = choose_executor(session.instances, executor, workers, memory, scheduler_file)
    with told_if_stopped(session):
        outcome = Runner(session.instances, session.store, work).run(session.plan, rerun, limits)
        rows, roles = collect(session.plan, session.store), Roles.of(session.plan.full, session.registry)
        if not part:  # the tables of a part would be taken for those of the suite
            echo("\n".join(section.plain() for section in sections(tables(rows, roles, TRACKS))))
        done = counted(outcome.done, "cell")
        echo(f"{done} done, {outcome.failed} failed, {outcome.skipped} skipped; store: {options.store}")
        if publish:
            _publish(session, rows, leaderboards)
    if outcome.failed or (outcome.skipped and not outcome.done and not part):
        _print_reasons(rows, FAILURES if outcome.failed else ("skipped",))
        raise typer.Exit(1)


def _print_reasons(rows: Sequence[Row], statuses: Collection[str]) -> None:
    reasons = Counter(f"{row.status}: {row.reason}" for row in rows if row.status in statuses and row.seed is not None)
    for reason, count in reasons.most_common(MOST_REASONS):
        echo(f"{counted(count, 'cell')} {reason}", err=True)
    if (more := len(reasons) - MOST_REASONS) > 0:
        echo(f"and {more} more {plural(more, 'reason')}; unlearnbench status lists all", err=True)


def _publish(session: Session, rows: Sequence[Row], leaderboards: Path) -> None:
    publication = Publication.of(session.plan, rows, session.store, session.registry)
    echo(f"wrote {publication.write(leaderboards)}")
