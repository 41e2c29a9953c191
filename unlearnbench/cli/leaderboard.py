"""``unlearnbench leaderboard``: pages and tables from published results, and submissions to them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unlearnbench.cli.options import (
    LEADERBOARDS,
    AsJson,
    DisabledPlugins,
    ExecutorText,
    LeaderboardsDir,
    PluginFiles,
    RunPluginFiles,
    Workers,
)
from unlearnbench.cli.output import echo, epilog, finding_count, new_app, print_json
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.core.errors import UserError
from unlearnbench.core.files import write_whole
from unlearnbench.core.messages import counted
from unlearnbench.report.leaderboard import build as build_files
from unlearnbench.run.session import SessionOptions, open_session

if TYPE_CHECKING:  # loading them takes a while, which only the commands that use them should need
    from collections.abc import Sequence

    from unlearnbench.report.publication import Publication
    from unlearnbench.submissions.check import Report
    from unlearnbench.submissions.context import CheckContext
    from unlearnbench.submissions.findings import Finding
    from unlearnbench.submissions.rerun import Again

MOST_LINES = 100
"""How many findings are printed; ``--json`` prints all."""

app = new_app(
    "Build leaderboards; pack and check submissions.",
    (
        "unlearnbench leaderboard build",
        "unlearnbench leaderboard pack quickstart --entry unlearner=sisa --author 'A. Author'",
        "unlearnbench leaderboard check leaderboards/quickstart/submissions/sisa-1a2b3c4d",
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
    """Write the page and the tables of each board.

    A board is the union of its accepted entries, or one published run. If an entry is not as it was accepted,
    nothing is written and the exit code is 1. Arrays that are elsewhere are not needed.
    """
    from unlearnbench.submissions.board import without_arrays

    stale, elsewhere = False, without_arrays(leaderboards)
    for folder, publication in _boards(leaderboards).items():
        for name, text in build_files(publication).items():
            file = folder / name
            current = file.exists() and file.read_bytes() == text.encode()
            stale |= not current
            if not current and not check:
                write_whole(file, text)
            echo(f"{'current' if current else 'stale' if check else 'wrote'}: {file}")
    for each in elsewhere:
        echo(f"note: the arrays of {each} are not here; a check of it needs them: --arrays PATH")
    if check and stale:
        raise typer.Exit(1)


def _boards(leaderboards: Path) -> dict[Path, Publication]:
    """Return the boards by their folders; print what keeps them from being built, and exit with 1."""
    from unlearnbench.submissions.board import read_boards

    boards, found = read_boards(leaderboards)
    if not boards and not found:
        raise UserError(
            "there is no board below it; publish a run first: unlearnbench run SUITE --publish", str(leaderboards)
        )
    for finding in found[:MOST_LINES]:
        echo(str(finding))
    if found:
        raise typer.Exit(1)
    return boards


@app.command(epilog=epilog("unlearnbench leaderboard site --out site"))
def site(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="The folder to write to.")],
    leaderboards: LeaderboardsDir = LEADERBOARDS,
) -> None:
    """Write a site of all boards and methods.

    It has an index, a page a board, a page a method, and a comparison of two methods, as static files that load
    nothing from elsewhere. If an entry is not as it was accepted, nothing is written and the exit code is 1.
    """
    from unlearnbench.report.site.pages import site as site_files

    boards = _boards(leaderboards)
    paths = {folder.relative_to(leaderboards).as_posix(): publication for folder, publication in boards.items()}
    written = [write_whole(out / name, text) for name, text in site_files(paths)]
    echo(f"wrote {counted(len(written), 'file')}; open {out / 'index.html'}")


@app.command(
    epilog=epilog(
        "unlearnbench leaderboard pack quickstart --author 'A. Author'",
        "unlearnbench leaderboard pack quickstart --entry unlearner=my-method --author 'A. Author' --tuned '40 trials'",
    )
)
@with_session_options("only", "seed", "profile")
def pack(
    suite: SuiteName,
    author: Annotated[str, typer.Option("--author", metavar="AUTHOR", help="The author of the entry.")],
    options: SessionOptions,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="The name of the entry; by default that of its plug-in.")
    ] = "",
    tuned: Annotated[
        str,
        typer.Option("--tuned", metavar="HOW", help="How parameters were chosen, if they were."),
    ] = "",
    supersedes: Annotated[
        str, typer.Option("--supersedes", metavar="ID", help="Your earlier entry that this one takes the place of.")
    ] = "",
    arrays: Annotated[
        Path | None,
        typer.Option(
            "--arrays", metavar="DIR", file_okay=False, help="Write large arrays there, not into the submission."
        ),
    ] = None,
    address: Annotated[
        str, typer.Option("--address", metavar="URL", help="Where that folder will be found, https://...")
    ] = "",
    leaderboards: LeaderboardsDir = LEADERBOARDS,
) -> None:
    """Make submissions of a finished run.

    With --entry it is that of one plug-in, else there is one for each entry of the suite. Those are the reference
    entry, which has the controls, the baselines, and all attacks and defenses of the suite on them, and one for
    each unlearner that is neither. A submission holds the metadata of the run and the scores that metrics are
    computed from, but those that it shares with the reference entry of the board. The same run gives the same bytes.
    Every cell must have run without failure.
    """
    from unlearnbench.submissions.pack import Entry, pack_all
    from unlearnbench.submissions.place import Place

    if not options.entry and (tuned or supersedes):
        raise UserError("--tuned and --supersedes are of one entry; give it: --entry AXIS=NAME")
    entry = Entry(name or "reference", author, tuned, supersedes)
    place, session = Place(leaderboards, arrays, address), open_session(suite, options)
    for folder in pack_all(session, entry, options.entry, place, named=bool(name)):
        echo(f"wrote {folder}")


@app.command(epilog=epilog("unlearnbench leaderboard reseed quickstart --nonce 'what was announced' --top 3"))
@with_session_options("only", "seed", "profile", "entry", "device")
def reseed(
    suite: SuiteName,
    nonce: Annotated[
        str, typer.Option("--nonce", metavar="TEXT", help="A text that was announced after the entries were submitted.")
    ],
    options: SessionOptions,
    top: Annotated[int, typer.Option("--top", metavar="N", min=1, help="How many entries are run.")] = 3,
    executor: ExecutorText = None,
    workers: Workers = 1,
    leaderboards: LeaderboardsDir = LEADERBOARDS,
) -> None:
    """Run the top entries of a board on hidden seeds.

    They are as many as the suite has, and follow from the nonce. The board then shows public and hidden numbers
    beside each other, and flags what differs by more than chance. The same nonce gives the same numbers.
    """
    from unlearnbench.run.executors import choose_executor
    from unlearnbench.submissions.reseed import Reseeding

    session = open_session(suite, options)
    work = choose_executor(session.instances, executor, workers)
    run = Reseeding(session.plan.suite, session.instances, session.store, work)
    folder = leaderboards / session.plan.suite.name
    echo(f"wrote {run(folder, nonce, top).write(folder)}; now: leaderboard build")


@app.command(epilog=epilog("unlearnbench leaderboard withdraw FOLDER --because 'its code reads the deleted labels'"))
def withdraw(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder of one accepted submission.")],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="The reason, which the board shows.")],
) -> None:
    """Take an entry out of the tables of its board.

    The board goes on listing it, with the reason.
    """
    from unlearnbench.submissions.accepted import withdraw as write_reason

    echo(f"wrote {write_reason(path, because)}; now: leaderboard build")


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
    rerun_minutes: Annotated[
        float | None,
        typer.Option("--rerun-minutes", metavar="M", min=0, help="Run as many again as take about M minutes."),
    ] = None,
    nonce: Annotated[
        str | None,
        typer.Option("--nonce", metavar="TEXT", help="A text that was announced after the submission was made."),
    ] = None,
    workers: Workers = 1,
    suite: Annotated[
        Path | None, typer.Option("--suite", metavar="FILE", help="The suite file, if the suite is not a standard one.")
    ] = None,
    arrays: Annotated[
        Path | None,
        typer.Option("--arrays", metavar="PATH", help="Where arrays are that are not beside: a file, or its folder."),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="If there is no finding, make it an entry of its board.")
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
    from unlearnbench.submissions.check import check_submission
    from unlearnbench.submissions.rerun import Again

    again = Again.asked(nonce, rerun, rerun_minutes, workers)
    report = check_submission(path, suite, plugin_file or (), disable_plugin or (), run_plugin_files, arrays)
    findings, notes, cells = list(report.findings), list(report.notes), list[str]()
    if report.context:
        found, cells = _execute(report.context, check_plugins, again)
        findings, notes = findings + found, notes + cells
        notes += [] if check_plugins else ["plug-ins of others were not checked"]
    elif again:
        notes.append("no cell was run again: fix the findings first")
    if accept:
        notes.append(_accepted(report, findings, again, cells))
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings], "notes": notes})
    else:
        _print([str(finding) for finding in findings], notes, path)
    if findings:
        raise typer.Exit(1)


def _execute(context: CheckContext, check_plugins: bool, again: Again | None) -> tuple[list[Finding], list[str]]:
    """Execute plug-ins as far as asked for; return what is found, and a line for each cell that was run again."""
    from unlearnbench.submissions.conformance import conformance
    from unlearnbench.submissions.rerun import rerun as run_again

    found = conformance(context.plan.full, context.instances.registry) if check_plugins else []
    differing, cells = run_again(context, again) if again else ([], [])
    return found + differing, cells


def _accepted(report: Report, findings: Sequence[Finding], again: Again | None, cells: Sequence[str]) -> str:
    """Write the record of a submission without findings; return what to say of it."""
    from unlearnbench.submissions.accepted import accept

    if findings or not report.context:
        return "not accepted: fix the findings first"
    nonce = again.nonce if again else ""
    return f"wrote {accept(report.context, report.rows, nonce, cells)}; now: leaderboard build"


def _print(findings: list[str], notes: list[str], path: Path) -> None:
    for line in findings[:MOST_LINES]:
        echo(line)
    if len(findings) > MOST_LINES:
        echo(f"and {len(findings) - MOST_LINES} more; --json lists all")
    for note in notes:
        echo(f"note: {note}")
    echo(f"{path}: {finding_count(len(findings))}")
