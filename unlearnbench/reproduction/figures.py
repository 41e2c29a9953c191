"""The figure of an experiment: AUC against its parameter, or leak against utility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from unlearnbench.report.plots.choose import Where, title
from unlearnbench.report.plots.frontier import FrontierPoint, frontier_plot
from unlearnbench.report.plots.gather import frontier_points
from unlearnbench.report.plots.parameter import ParameterPoint, parameter_plot
from unlearnbench.report.roles import Roles
from unlearnbench.reproduction.claims import row
from unlearnbench.reproduction.experiment import Experiment, ParameterCurve
from unlearnbench.run.cells import Plan
from unlearnbench.run.results import Row, headline_rows

UTILITY = "released-test-accuracy"


def draw(experiment: Experiment, plan: Plan, rows: Sequence[Row], directory: Path) -> Path | None:
    """Draw an experiment to ``directory`` as SVG and PNG and return the path of the SVG.

    None where the experiment has no figure, or no number to draw. Raises :class:`UserError` without matplotlib.
    """
    path = directory / experiment.name
    if experiment.curve:
        points = curve_points(experiment.curve, headline_rows(rows))
        return parameter_plot(points, experiment.curve.parameter, path).svg if points else None
    if experiment.frontier:
        shown = Where().choose(plan, [row for row in rows if row.status == "ok"])
        points_of = _strongest(frontier_points(shown, UTILITY, "auc"))
        return frontier_plot(
            points_of, path, y_label="AUC of the strongest attack", title=title(shown, Roles(), "attack")
        ).svg
    return None


def _strongest(points: Sequence[FrontierPoint]) -> list[FrontierPoint]:
    """Return the point of each defense under the strongest attack: a defense must withstand all of them."""
    strongest = {point.label: point for point in sorted(points, key=lambda point: point.leak)}
    return [replace(strongest[label], series="") for label in dict.fromkeys(point.label for point in points)]


def curve_points(curve: ParameterCurve, rows: Sequence[Row]) -> list[ParameterPoint]:
    """Return the points of a curve that have a number.

    Raises ValueError where labels name several rows: the experiment does not say which.
    """
    points = []
    for name, line in curve.series.items():
        for x, labels in curve.points.items():
            wanted = row(**{**line, **labels}).labels
            found = [each for each in rows if wanted.items() <= each.names.items()]
            if len(found) > 1:
                raise ValueError(f"{dict(wanted)} names {len(found)} rows")
            auc = found[0].metrics.get("auc") if found else None
            if auc is not None and auc.value is not None:
                points.append(ParameterPoint(x, auc.value, auc.low, auc.high, name))
    return points
