"""A metric against a parameter: one line a series, with its interval as a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING

from unlearnbench.report.plots.style import Files, Look, chance_line, looks, new_figure, save, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 8
"""The axis is logarithmic if the largest parameter is at least this many times the smallest."""
MOST_TICKS = 8


@dataclass(frozen=True)
class ParameterPoint:
    """A metric at one value of the parameter."""

    x: float
    """The parameter."""
    value: float
    """The metric."""
    low: float | None
    """The lower end of its 95 % interval, where it has one."""
    high: float | None
    """The upper end."""
    series: str
    """The name of its line."""


def parameter_plot(
    points: Sequence[ParameterPoint],
    x_label: str,
    path: Path,
    y_label: str = "AUC",
    chance: float | None = 0.5,
    title: str = "",
) -> Files:
    """Draw the points to ``path`` + ``.svg`` and ``.png``; ``chance`` None draws no such line.

    Raises :class:`UserError` where there are no points, or more series than there are colours.
    """
    look = looks(point.series for point in points)
    with new_figure(6.4, 4.2) as figure:
        axes = figure.subplots()
        axes.grid(axis="y")
        if chance is not None:
            chance_line(axes, chance)
        for name in look:
            _line(axes, sorted((p for p in points if p.series == name), key=lambda p: p.x), look[name])
        _scale(axes, sorted({point.x for point in points}))
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        if len(look) > 1:
            _name_lines(axes, points, look)
        return save(figure, path)


def _line(axes: Axes, points: Sequence[ParameterPoint], look: Look) -> None:
    x = [point.x for point in points]
    low = [nan if point.low is None else point.low for point in points]  # no band where there is no interval
    high = [nan if point.high is None else point.high for point in points]
    axes.fill_between(x, low, high, color=look.colour, alpha=0.16, linewidth=0)
    axes.plot(x, [p.value for p in points], color=look.colour, marker=look.marker, markeredgecolor="white")


def _scale(axes: Axes, values: Sequence[float]) -> None:
    """Put ticks at the values if they are few; use a logarithmic axis for a wide range."""
    if values[0] > 0 and values[-1] >= WIDE * values[0]:
        axes.set_xscale("log")
    if len(values) <= MOST_TICKS:
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.set_xticks([], minor=True)


def _name_lines(axes: Axes, points: Sequence[ParameterPoint], look: dict[str, Look]) -> None:
    """Write the name of each series at the right end of its line instead of a legend."""
    last = {p.series: p.value for p in sorted(points, key=lambda p: p.x)}
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)  # names must not change the limits
    wanted = [(last[name] - low) / (high - low) for name in look]
    for (name, (colour, marker)), y in zip(look.items(), spread(wanted, 0.07), strict=True):
        axes.plot(1.035, y, marker, color=colour, markersize=6, transform=axes.transAxes, clip_on=False)
        axes.text(1.06, y, name, color=colour, va="center", transform=axes.transAxes)
