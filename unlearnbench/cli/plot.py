"""``unlearnbench plot``: draw a figure of a finished run, as SVG and PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from unlearnbench.cli.output import echo
from unlearnbench.cli.session import SuiteName, with_session_options
from unlearnbench.core.errors import UserError
from unlearnbench.report.plots import gather
from unlearnbench.report.plots.choose import Where, title
from unlearnbench.report.plots.degradation import degradation_plot
from unlearnbench.report.plots.frontier import frontier_plot
from unlearnbench.report.plots.parameter import parameter_plot
from unlearnbench.report.plots.pareto import pareto_plot
from unlearnbench.report.plots.roc import roc_plot
from unlearnbench.report.plots.style import Files
from unlearnbench.report.roles import Roles
from unlearnbench.run.results import Row, collect
from unlearnbench.run.session import Session, SessionOptions, open_session

EXAMPLES = (
    "unlearnbench plot roc quickstart --where model=decision-tree --where unlearner=retrain",
    "unlearnbench plot parameter paper/group --x scenario.size --where model=decision-tree",
    "unlearnbench plot degradation quickstart --where model=decision-tree --where unlearner=retrain",
    "unlearnbench plot frontier paper/defenses --where attack=sorted-diff --out figures",
    'unlearnbench plot pareto quick-unlearn --where "model=mlp(epochs=50, hidden=[64,32])" --where scenario=single',
)
Kind = Literal["roc", "parameter", "degradation", "frontier", "pareto"]


@with_session_options("only")
def command(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="The kind of figure, see above.")],
    suite: SuiteName,
    options: SessionOptions,
    x: Annotated[
        str | None,
        typer.Option(
            "--x",
            metavar="NAME",
            help="The x axis of a parameter plot, as AXIS.PARAMETER, e.g. scenario.size; or of a frontier plot, the "
            "metric of utility, released-test-accuracy by default; or of a pareto plot, a metric of the gap, "
            "test-accuracy-gap by default.",
        ),
    ] = None,
    metric: Annotated[
        str, typer.Option("--metric", metavar="NAME", help="The y axis of a parameter or frontier plot.")
    ] = "auc",
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="AXIS=LABEL", help="Draw only the rows whose AXIS has this label. Can be repeated."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="The folder to write the files in.")
    ] = Path(),
) -> None:
    """Draw a figure of a finished run as SVG and PNG, and print the names of the files.

    The kinds of figure are: roc, the ROC curves; parameter, a metric against a parameter; degradation, how much the
    unlearned model adds to the confidence of the attack in the true membership of each record; frontier, leak against
    utility, one point for each defense; pareto, the leak to the strongest attack against the gap to retraining, one
    point for each unlearner, coloured by its record passes.

    Lines are named by the labels that distinguish their rows. Control rows are drawn if --where names them.
    """
    if kind == "parameter" and x is None:
        raise UserError('a plot of kind parameter needs --x, for example "--x scenario.size"')
    chosen = Where.parse(where or ())
    session = open_session(suite, options)
    rows = chosen.choose(session.plan, collect(session.plan, session.store), _remedy(suite, options))
    path = out / f"{Path(session.plan.suite.name).name}-{kind}"
    files = _draw(kind, session, rows, path, x, metric)
    echo("\n".join(str(file) for file in files))


def _remedy(suite: str, options: SessionOptions) -> str:
    """Return the command to run where rows have no result."""
    seed = "" if options.seed is None else f" --seed {options.seed}"
    profile = "" if options.profile == "full" else f" --profile {options.profile}"
    return f"run: unlearnbench run {suite}{seed}{profile} --store {options.store}"


def _draw(kind: Kind, session: Session, rows: list[Row], path: Path, x: str | None, metric: str) -> Files:
    chance = 0.5 if metric.startswith("auc") else None
    name = "AUC" if metric == "auc" else metric
    roles = Roles.of(session.plan.full, session.registry)
    match kind:
        case "roc":
            return roc_plot(gather.roc_runs(session, rows), path, title(rows, roles))
        case "degradation":
            return degradation_plot(gather.degradation_gains(session, rows), path, title(rows, roles))
        case "frontier":
            utility = x or "released-test-accuracy"
            points = gather.frontier_points(rows, utility, metric)
            return frontier_plot(points, path, _words(utility), name, chance, title(rows, roles, "defense"))
        case "pareto":
            gap = x or "test-accuracy-gap"
            front = gather.pareto_points(rows, roles, gap)
            label = f"absolute {_words(gap)} to retraining"
            return pareto_plot(front, path, label, "AUC of the strongest attack", title(rows, roles, "unlearner"))
        case "parameter":
            against = str(x)
            axis, _, parameter = against.partition(".")
            points_along = gather.parameter_points(rows, against, metric)
            return parameter_plot(points_along, f"{axis}: {parameter}", path, name, chance, title(rows, roles, axis))


def _words(metric: str) -> str:
    """Return the name of a metric in words: "test accuracy, original"."""
    *words, of = metric.split("-")
    return f"{' '.join(words)}, {of}" if words and of in ("original", "unlearned") else " ".join([*words, of])
