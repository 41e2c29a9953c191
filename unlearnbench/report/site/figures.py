"""Scales of drawn numbers, and scatter plots of two numbers against each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from unlearnbench.core.estimates import Estimate
from unlearnbench.hooks.records import EntryRole
from unlearnbench.report.tracks import CHANCE, Column, Scatter, TrackRow, TrackTable, by_track

SHAPES: Final = ("circle", "square", "triangle", "diamond", "down", "cross")
COLOURS: Final = 8
"""How many colours the style sheet has; with the shapes, 24 entries look different."""
PANEL: Final = (320, 240)
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 40


@dataclass(frozen=True)
class Scale:
    """A linear map from numbers to pixels."""

    low: float
    high: float
    start: float
    """The pixel of ``low``."""
    end: float
    """The pixel of ``high``."""

    def at(self, number: float) -> float:
        """Return the pixel of a number, rounded to a tenth; beyond the range is its end."""
        share = (min(max(number, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Return three to six round numbers within the range."""
        step = next(s for s in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if (self.high - self.low) / s <= 5.001)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 4) for i in range(first, last + 1)]


def auc_scale(numbers: Iterable[float], start: float, end: float) -> Scale:
    """Return the scale that all intervals of a page share: to 1, from .4 or the tenth below the lowest number."""
    lowest = min(numbers, default=CHANCE)
    return Scale(min(0.4, math.floor(lowest * 10) / 10), 1.0, start, end)


def ends(estimate: Estimate | None) -> list[float]:
    """Return the value and the ends of its interval, as far as they are defined."""
    if estimate is None:
        return []
    return [number for number in (estimate.value, estimate.low, estimate.high) if number is not None]


def around(numbers: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale with a margin around the numbers, so that it has a width even if they are all equal."""
    low, high = min(numbers), max(numbers)
    margin = max((high - low) * 0.08, 0.01)
    return Scale(low - margin, high + margin, start, end)


class Tick(NamedTuple):
    """A number on an axis."""

    at: float
    """The pixel."""
    text: str


class Look(NamedTuple):
    """How an entry is drawn."""

    shape: str
    colour: int


class Mark(NamedTuple):
    """A point with its two intervals, in pixels."""

    x: float
    y: float
    x_ends: tuple[float, float] | None
    y_ends: tuple[float, float] | None
    look: Look
    role: EntryRole
    title: str
    """What is shown when the pointer is on it."""


@dataclass(frozen=True)
class ScatterPanel:
    """The drawing of one model: a point for each entry."""

    title: str
    labels: Mapping[str, str]
    """The labels of its points on the axes that they share, for the filters of the page."""
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    x_chance: float | None
    """The pixel of one half, where the axis is an AUC."""
    y_chance: float | None
    marks: Sequence[Mark]


class LegendEntry(NamedTuple):
    """One entry of a legend."""

    name: str
    look: Look
    role: EntryRole


@dataclass(frozen=True)
class ScatterFigure:
    """The panels of one scatter plot, one for each setting and model, that share a legend."""

    scatter: Scatter
    panels: Sequence[ScatterPanel]
    legend: Sequence[LegendEntry]


def scatter_figures(found: Sequence[TrackTable]) -> list[ScatterFigure]:
    """Return the scatter plots of all tracks that there are numbers for."""
    drawn = (
        _figure(scatter, [row for table in tables for row in table.rows])
        for track, tables in by_track(found).items()
        for scatter in track.scatters
    )
    return [figure for figure in drawn if figure.panels]


def _figure(scatter: Scatter, lines: Iterable[TrackRow]) -> ScatterFigure:
    shown = [line for line in lines if _value(line, scatter.x) is not None and _value(line, scatter.y) is not None]
    names = list(dict.fromkeys(line.entry for line in shown))
    looks = {name: Look(SHAPES[i % len(SHAPES)], i % COLOURS) for i, name in enumerate(names)}
    groups: dict[tuple[str, ...], list[TrackRow]] = {}
    for line in shown:
        groups.setdefault((*line.setting, line.model), []).append(line)
    several = len({names[:2] for names in groups}) > 1
    panels = [
        _panel(", ".join((names[-1], *names[:2])) if several else names[-1], group, scatter, looks)
        for names, group in groups.items()
    ]
    roles = {line.entry: line.role for line in shown}
    return ScatterFigure(scatter, panels, [LegendEntry(name, looks[name], roles[name]) for name in names])


def _value(line: TrackRow, column: Column) -> float | None:
    estimate = line.estimate(column)
    return estimate.value if estimate else None


def _panel(title: str, lines: Sequence[TrackRow], scatter: Scatter, looks: Mapping[str, Look]) -> ScatterPanel:
    width, height = PANEL
    x = _scale(lines, scatter.x, LEFT, width - RIGHT)
    y = _scale(lines, scatter.y, height - BOTTOM, TOP)
    return ScatterPanel(
        title,
        lines[0].names,
        [Tick(x.at(n), _short(n)) for n in x.ticks()],
        [Tick(y.at(n), _short(n)) for n in y.ticks()],
        x.at(CHANCE) if scatter.x.is_auc else None,
        y.at(CHANCE) if scatter.y.is_auc else None,
        list(_marks(lines, scatter, x, y, looks)),
    )


def _scale(lines: Sequence[TrackRow], column: Column, start: float, end: float) -> Scale:
    """Return a scale for all values and interval ends of a column, and for chance where it is an AUC."""
    numbers = [number for line in lines for number in ends(line.estimate(column))]
    return around([*numbers, CHANCE] if column.is_auc else numbers, start, end)


def _marks(
    lines: Iterable[TrackRow], scatter: Scatter, x: Scale, y: Scale, looks: Mapping[str, Look]
) -> Iterator[Mark]:
    for line in lines:
        first, second = line.estimate(scatter.x), line.estimate(scatter.y)
        if first is None or first.value is None or second is None or second.value is None:
            continue
        title = f"{line.entry}: {first.value:.3f}, {second.value:.3f}"
        position = x.at(first.value), y.at(second.value)
        yield Mark(*position, _span(first, x), _span(second, y), looks[line.entry], line.role, title)


def _span(estimate: Estimate, scale: Scale) -> tuple[float, float] | None:
    if estimate.low is None or estimate.high is None:
        return None
    return scale.at(estimate.low), scale.at(estimate.high)


def _short(number: float) -> str:
    return f"{number:g}".replace("0.", ".", 1)
