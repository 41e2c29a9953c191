"""The frontier of defenses: leak against utility."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from unlearnbench.report.plots.style import FAINT, Files, Look, chance_line, looks, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

FAR: Final = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.8, "shrinkB": 5}
"""The thin line to a name that is not directly beside its point."""


class Offset(NamedTuple):
    """The position of a name relative to its point."""

    dx: float
    """In typographic points, as ``dy``."""
    dy: float
    side: Literal["left", "right"]
    """The side of the name that is aligned."""


@dataclass(frozen=True)
class FrontierPoint:
    """One defense in one series."""

    label: str
    """The defense."""
    utility: float
    leak: float
    low: float | None
    """The lower end of the leak's 95 % interval, where it has one."""
    high: float | None
    """The upper end."""
    series: str = ""
    """What the leak is of where there are several, such as the attack."""


def frontier_plot(
    points: Sequence[FrontierPoint],
    path: Path,
    x_label: str = "test accuracy",
    y_label: str = "AUC",
    chance: float | None = 0.5,
    title: str = "",
) -> Files:
    """Draw one labelled point for each defense to ``path`` + ``.svg`` and ``.png``; lower and further right is better.

    Several series, such as attacks, differ in colour and marker; a defense is named at its point of the largest leak.
    Raises :class:`UserError` where there are no points, or more series than there are colours.
    """
    look = looks(point.series for point in points)
    with new_figure(6.4, 4.6) as figure:
        axes = figure.subplots()
        axes.grid()
        if chance is not None:
            chance_line(axes, chance)
        for name in look:
            _draw(axes, [point for point in points if point.series == name], look[name], name)
        axes.margins(0.14, 0.1)
        axes.set(xlabel=x_label, ylabel=y_label, title=title)
        if len(look) > 1:
            figure.legend(loc="outside lower center", ncols=min(len(look), 4), handletextpad=0.2)
        figure.draw_without_rendering()  # names are placed around what is drawn
        name_points(axes, points, chance)
        return save(figure, path)


def _draw(axes: Axes, points: Sequence[FrontierPoint], look: Look, name: str) -> None:
    draw_intervals(axes, points, look.colour)
    x, y = [p.utility for p in points], [p.leak for p in points]
    axes.plot(x, y, look.marker, color=look.colour, markersize=8, label=name)


def draw_intervals(axes: Axes, points: Sequence[FrontierPoint], colour: str) -> None:
    """Draw the intervals of the leaks, where there are any."""
    for p in points:
        if p.low is not None and p.high is not None:
            axes.plot([p.utility] * 2, [p.low, p.high], color=colour, linewidth=1.4, zorder=1)


def name_points(axes: Axes, points: Sequence[FrontierPoint], chance: float | None) -> None:
    """Write the names beside the points without overlap; thin lines lead to names at a distance."""
    largest: dict[str, FrontierPoint] = {}
    for point in sorted(points, key=lambda p: p.leak):
        largest[point.label] = point
    taken = [box for point in points for box in _drawn(axes, point)]
    taken += [text.get_window_extent() for text in axes.texts]
    if chance is not None:
        y = axes.transData.transform((0, chance))[1]
        taken.append(_box(axes.bbox.x0, y, axes.bbox.x1, y, 1))
    for point in sorted(largest.values(), key=lambda p: -p.leak):
        taken.append(_name_point(axes, point, taken))


def _drawn(axes: Axes, point: FrontierPoint) -> Iterator[Bbox]:
    """Yield what a point's marker and interval cover, in pixels."""
    x, y = axes.transData.transform((point.utility, point.leak))
    yield _box(x, y, x, y, 6)
    if point.low is not None and point.high is not None:
        low, high = axes.transData.transform([(point.utility, point.low), (point.utility, point.high)])
        yield _box(x, low[1], x, high[1], 2)


def _box(x0: float, y0: float, x1: float, y1: float, margin: float) -> Bbox:
    from matplotlib.transforms import Bbox

    return Bbox.from_extents(x0 - margin, y0 - margin, x1 + margin, y1 + margin)


def _name_point(axes: Axes, point: FrontierPoint, taken: Sequence[Bbox]) -> Bbox:
    """Write one name at the nearest free offset, else at the one with the fewest overlaps; return what it covers."""
    tried: list[tuple[int, Offset, Bbox]] = []
    for offset in _offsets():
        text = _write(axes, point, offset)
        box = text.get_window_extent()
        text.remove()
        beyond = not all(axes.bbox.contains(*corner) for corner in (box.min, box.max))
        tried.append((box.count_overlaps(taken) + beyond, offset, box))
        if not tried[-1][0]:
            break
    _, best, box = min(tried, key=lambda found: found[0])
    _write(axes, point, best, FAR if best.dy else None)
    return box


def _offsets() -> Iterator[Offset]:
    """Yield offsets near a point, the nearest first."""
    for row in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6):
        away = 9 + 3 * abs(row)
        yield Offset(away, 13 * row, "left")
        yield Offset(-away, 13 * row, "right")


def _write(axes: Axes, point: FrontierPoint, offset: Offset, line: dict[str, Any] | None = None) -> Annotation:
    return axes.annotate(
        point.label,
        (point.utility, point.leak),
        offset[:2],
        textcoords="offset points",
        ha=offset.side,
        va="center",
        fontsize=10,
        arrowprops=line,
    )
