"""The picture of an experiment of the reproduction: AUC along its parameter, or leak against utility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from unlearnbench.report.plots.choose import Where, title
from unlearnbench.report.plots.frontier import Defended, frontier_plot
from unlearnbench.report.plots.gather import frontier_points
from unlearnbench.report.plots.parameter import Point, parameter_plot
from unlearnbench.report.roles import Roles
from unlearnbench.reproduction.claims import of
from unlearnbench.reproduction.experiment import Curve, Experiment
from unlearnbench.run.cells import Plan
from unlearnbench.run.results import Row, headline_rows

UTILITY = "test-accuracy-original"


def draw(experiment: Experiment, plan: Plan, rows: Sequence[Row], directory: Path) -> Path | None:
    """Draw an experiment to ``directory`` as SVG and PNG and return the SVG; None where it has no picture.

    An experiment none of whose rows has a number has none either. Raises :class:`UserError` without matplotlib.
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


def _strongest(points: Sequence[Defended]) -> list[Defended]:
    """Return each defense's point under the attack that finds most: a defense is worth what it holds against all."""
    strongest = {point.label: point for point in sorted(points, key=lambda point: point.leak)}
    return [replace(strongest[label], series="") for label in dict.fromkeys(point.label for point in points)]


def curve_points(curve: Curve, rows: Sequence[Row]) -> list[Point]:
    """Return the points of a curve that have a number.

    Raises ValueError where labels name several rows: the experiment does not say which.
    """
    points = []
    for name, line in curve.series.items():
        for x, labels in curve.points.items():
            asked = of(**{**line, **labels}).labels
            found = [row for row in rows if asked.items() <= row.names.items()]
            if len(found) > 1:
                raise ValueError(f"{dict(asked)} names {len(found)} rows")
            auc = found[0].metrics.get("auc") if found else None
            if auc is not None and auc.value is not None:
                points.append(Point(x, auc.value, auc.low, auc.high, name))
    return points
