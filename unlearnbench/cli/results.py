"""``unlearnbench results``: the results of a run, as a table or as data."""

from __future__ import annotations

from typing import Annotated

import typer

from unlearnbench.cli.options import AsJson
from unlearnbench.cli.output import echo
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.report.tables import Format, render
from unlearnbench.run.results import collect
from unlearnbench.run.session import SessionOptions, open_session

EXAMPLES = (
    "unlearnbench results quickstart --only unlearner=retrain --only defense=none",
    "unlearnbench results quickstart --metric advantage --metric seconds-to-unlearn",
    "unlearnbench results quickstart --format csv > results.csv",
)


@with_session_options()
def command(
    suite: SuiteName,
    options: SessionOptions,
    style: Annotated[
        Format, typer.Option("--format", help="The format of the output. --json is short for json.")
    ] = "plain",
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="NAME", help="Print this metric only, or all. Can be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print one row for each cell and seed, then the means over seeds.

    Cells that have not run are listed as missing; of those that are not to run, tables count each reason. A first table
    has the main metrics of the attacks and those of plug-ins, a second one accuracy and seconds of the models. CSV and
    JSON hold every metric.
    """
    session = open_session(suite, options)
    echo(render(collect(session.plan, session.store), "json" if as_json else style, metric or ()))
