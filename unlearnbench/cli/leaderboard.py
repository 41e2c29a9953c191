"""``unlearnbench leaderboard``: pages and tables from published results, and submissions to them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearnbench.cli.options import LEADERBOARDS, AsJson, DisabledPlugins, LeaderboardsDir, PluginFiles, RunPluginFiles
from unlearnbench.cli.output import echo, epilog, finding_count, new_app, print_json
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.core.errors import UserError
from unlearnbench.core.files import write_whole
from unlearnbench.report.leaderboard import build as build_files
from unlearnbench.report.leaderboard import published
from unlearnbench.run.session import SessionOptions, open_session

if TYPE_CHECKING:  # loading them takes a while, which only the commands that use them should need
    from unlearnbench.submissions.context import CheckContext
    from unlearnbench.submissions.findings import Finding

MOST_LINES = 100
"""How many findings are printed; ``--json`` prints all."""

app = new_app(
    "Build leaderboards; pack and check submissions.",
    (
        "unlearnbench leaderboard build",
        "unlearnbench leaderboard pack quickstart --name retrain --author 'A. Author'",
        "unlearnbench leaderboard check leaderboards/quickstart/submissions/retrain-1a2b3c4d",
    ),
)


@app.callback()
def _group() -> None:
    """Build leaderboards; pack and check submissions."""


@app.command(epilog=epilog("unlearnbench leaderboard build", "unlearnbench leaderboard build --check"))
def build(
    leaderboards: LeaderboardsDir = LEADERBOARDS,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a file is stale.")] = False,
) -> None:
    """Write the page and the tables of each results.json.

    If a results.json does not agree with the submission that it was made from, nothing is written and the exit code is
    1.
    """
    found = published(leaderboards)
    if not found:
        raise UserError(
            "there is no results.json below it; publish a run first: unlearnbench run SUITE --publish",
            str(leaderboards),
        )
    from unlearnbench.submissions.accept import drift

    mismatches = [finding for results in found for finding in drift(results)]
    for finding in mismatches[:MOST_LINES]:
        echo(str(finding))
    if mismatches:
        raise typer.Exit(1)
    stale = False
    for results in found:
        for file, text in build_files(results).items():
            current = file.exists() and file.read_bytes() == text.encode()
            stale |= not current
            if not current and not check:
                write_whole(file, text)
            echo(f"{'current' if current else 'stale' if check else 'wrote'}: {file}")
    if check and stale:
        raise typer.Exit(1)


@app.command(epilog=epilog("unlearnbench leaderboard pack quickstart --name retrain --author 'A. Author'"))
@with_session_options("only", "seed", "profile")
def pack(
    suite: SuiteName,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the entry in tables.")],
    author: Annotated[str, typer.Option("--author", metavar="AUTHOR", help="The author of the entry.")],
    options: SessionOptions,
    leaderboards: LeaderboardsDir = LEADERBOARDS,
) -> None:
    """Make a submission of a finished run.

    It holds the metadata of the run and the scores that metrics are computed from. The same run gives the same bytes.
    Every cell must have run without failure.
    """
    from unlearnbench.submissions.pack import Entry
    from unlearnbench.submissions.pack import pack as pack_run

    entry = Entry(name, author)
    session = open_session(suite, options)
    echo(f"wrote {pack_run(session.plan, session.instances.registry, session.store, entry, leaderboards)}")


@app.command(
    epilog=epilog(
        "unlearnbench leaderboard check leaderboards/quickstart/submissions/retrain-1a2b3c4d",
        "unlearnbench leaderboard check FOLDER --rerun 5 --nonce 'what was announced' --accept",
    )
)
def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder of one submission.")],
    rerun: Annotated[
        int | None,
        typer.Option(
            "--rerun", metavar="N", min=1, help="Run N cells again. Which ones depends on the digest and the nonce."
        ),
    ] = None,
    nonce: Annotated[
        str | None,
        typer.Option("--nonce", metavar="TEXT", help="A text that was announced after the submission was made."),
    ] = None,
    suite: Annotated[
        Path | None, typer.Option("--suite", metavar="FILE", help="The suite file, if the suite is not a standard one.")
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="If there is no finding, write the recomputed results to the leaderboard.")
    ] = False,
    check_plugins: Annotated[
        bool,
        typer.Option("--check-plugins/--no-check-plugins", help="Run the conformance checks on plug-ins of others."),
    ] = True,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    run_plugin_files: RunPluginFiles = False,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Check a submission without executing any of it.

    Checks its form, digests and completeness, recomputes every metric from the scores, and runs the conformance checks
    on the suite's plug-ins that are not built in, as they are installed here. All findings are listed, each with a
    remedy. The exit code is 0 if there is no finding, 1 if there are some, 2 if an option is wrong.

    Plug-in files that the suite of --suite names are executed only with --run-plugin-files, and only if the submission
    has the right form and names the same files. Read them first.
    """
    from unlearnbench.submissions.accept import accept as write_board
    from unlearnbench.submissions.check import check_submission

    if (rerun is None) != (nonce is None):
        raise UserError("give --rerun and --nonce together: how many cells, and the text that chooses them")
    report = check_submission(path, suite, plugin_file or (), disable_plugin or (), run_plugin_files)
    findings, notes, cells = list(report.findings), list(report.notes), list[str]()
    if report.context:
        found, cells = _execute(report.context, check_plugins, rerun, nonce or "")
        findings, notes = findings + found, notes + cells
        notes += [] if check_plugins else ["plug-ins of others were not checked"]
    elif rerun is not None:
        notes.append("no cell was run again: fix the findings first")
    if accept and (findings or not report.context):
        notes.append("not accepted: fix the findings first")
    elif accept and report.context:
        notes.append(f"wrote {write_board(report.context, report.rows, nonce or '', cells)}; now: leaderboard build")
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "notes": notes})
    else:
        _print([str(finding) for finding in findings], notes, path)
    if findings:
        raise typer.Exit(1)


def _execute(
    context: CheckContext, check_plugins: bool, rerun: int | None, nonce: str
) -> tuple[list[Finding], list[str]]:
    """Execute plug-ins as far as asked for; return what is found, and a line for each cell that was run again."""
    from unlearnbench.submissions.conformance import conformance
    from unlearnbench.submissions.rerun import rerun as run_again

    found = conformance(context.plan.full, context.instances.registry) if check_plugins else []
    differing, cells = run_again(context, rerun, nonce) if rerun is not None else ([], [])
    return found + differing, cells


def _print(findings: list[str], notes: list[str], path: Path) -> None:
    for line in findings[:MOST_LINES]:
        echo(line)
    if len(findings) > MOST_LINES:
        echo(f"and {len(findings) - MOST_LINES} more; --json lists all")
    for note in notes:
        echo(f"note: {note}")
    echo(f"{path}: {finding_count(len(findings))}")
