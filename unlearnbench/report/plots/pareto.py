"""The Pareto front of unlearners: leak against the gap to retraining, coloured by cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unlearnbench.core.errors import UserError
from unlearnbench.report.plots.frontier import FrontierPoint, draw_intervals, name_points
from unlearnbench.report.plots.style import FAINT, GREY, INK, Files, chance_line, new_figure, save
from unlearnbench.report.tracks import CHANCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ParetoPoint(FrontierPoint):
    """One unlearner; ``utility`` is its absolute gap to retraining, where 0 is best."""

    cost: float | None = None
    """Record passes over those of a retraining; None where they are not counted."""
    entry: bool = True
    """Whether it can be on the front: controls and baselines are drawn to compare with."""


def pareto_plot(points: Sequence[ParetoPoint], path: Path, x_label: str, y_label: str, title: str = "") -> Files:
    """Draw one named point for each unlearner to ``path`` + ``.svg`` and ``.png``; left and near .5 is better.

    The darker a point, the more it costs; one that is not counted is a cross. A line joins those of the front. Raises
    :class:`UserError` where there are no points.
    """
    if not points:
        raise UserError("there is nothing to plot")
    with new_figure(7.0, 4.6) as figure:
        axes = figure.subplots()
        axes.grid()
        chance_line(axes, CHANCE)
        draw_intervals(axes, points, FAINT)
        best = sorted(front(points), key=lambda p: p.utility)
        axes.plot([p.utility for p in best], [p.leak for p in best], color=GREY, linewidth=1.0, zorder=2)
        _draw(figure, axes, points)
        axes.margins(0.14, 0.25)
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        figure.draw_without_rendering()  # names are placed around what is drawn
        name_points(axes, points, CHANCE)
        return save(figure, path)


def front(points: Sequence[ParetoPoint]) -> list[ParetoPoint]:
    """Return the entries that no other one is at least as good as in both numbers and better in one.

    The numbers are the gap, and the distance of the leak from chance, above or below. Cost is not one of them.
    """

    def numbers(p: ParetoPoint) -> tuple[float, float]:
        return p.utility, abs(p.leak - CHANCE)

    def beats(one: ParetoPoint, other: ParetoPoint) -> bool:
        own, its = numbers(one), numbers(other)
        return own != its and all(a <= b for a, b in zip(own, its, strict=True))

    entries = [p for p in points if p.entry]
    return [p for p in entries if not any(beats(other, p) for other in entries)]


def _draw(figure: Figure, axes: Axes, points: Sequence[ParetoPoint]) -> None:
    look: dict[str, Any] = {"s": 60, "edgecolors": INK, "linewidths": 0.8, "zorder": 3}
    others = [p for p in points if p.cost is None]
    axes.scatter([p.utility for p in others], [p.leak for p in others], color=FAINT, marker="X", **look)
    counted = [(p, p.cost) for p in points if p.cost is not None]
    if counted:
        x, y, costs = zip(*((p.utility, p.leak, cost) for p, cost in counted), strict=True)
        drawn = axes.scatter(x, y, c=costs, cmap="Blues", vmin=0.0, vmax=max(1.0, *costs), **look)
        figure.colorbar(drawn, ax=axes, label="record passes, over retraining")
