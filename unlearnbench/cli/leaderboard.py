"""``unlearnbench leaderboard``: pages and tables from published results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.output import new_app
from unlearnbench.core.errors import UserError
from unlearnbench.report.leaderboard import build as build_files
from unlearnbench.report.leaderboard import published

app = new_app("Build leaderboards from published results.", ("unlearnbench leaderboard build",))

Root = Annotated[Path, typer.Option("--leaderboards", metavar="DIR", help="The folder of all leaderboards.")]


@app.callback()
def _group() -> None:
    """Build leaderboards from published results."""


@app.command()
def build(
    leaderboards: Root = Path("leaderboards"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 where a file is stale.")] = False,
) -> None:
    """Write README.md and table.csv beside each results.json.

    Example: unlearnbench leaderboard build
    """
    found = published(leaderboards)
    if not found:
        raise UserError(
            "no results.json below it; publish a run first: unlearnbench run SUITE --publish", str(leaderboards)
        )
    stale = False
    for results in found:
        for file, text in build_files(results).items():
            current = file.exists() and file.read_bytes() == text.encode()
            stale |= not current
            if not current and not check:
                file.write_bytes(text.encode())
            typer.echo(f"{'current' if current else 'stale' if check else 'wrote'}: {file}")
    if check and stale:
        raise typer.Exit(1)
