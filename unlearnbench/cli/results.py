"""``unlearnbench results``: what a run found, as a table or as data."""

from __future__ import annotations

from typing import Annotated

import typer

from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.report.tables import Format, render
from unlearnbench.run.results import collect
from unlearnbench.run.session import SessionOptions, open_session

EXAMPLES = (
    "unlearnbench results quickstart --only unlearner=retrain --only defense=none",
    "unlearnbench results quickstart --format json > results.json",
)


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    style: Annotated[Format, typer.Option("--format", help="How to print.")] = "plain",
) -> None:
    """Print one row a cell and seed, and the means over seeds. Cells that have not run say so."""
    session = open_session(suite, options)
    typer.echo(render(collect(session.plan, session.store), style))
