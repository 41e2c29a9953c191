"""Numbers as small drawings: the scales of intervals, and panels of two numbers against each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from unlearnbench.core.estimates import Estimate
from unlearnbench.report.site.tracks import ACCURACY, COLUMNS, Line, Role, Sample

CHANCE: Final = 0.5
SHAPES: Final = ("circle", "square", "triangle", "diamond", "down", "cross")
COLOURS: Final = 8
"""How many colours the style sheet has; with the shapes, 24 entries can be told apart."""
PANEL: Final = (320, 240)
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 40


@dataclass(frozen=True)
class Scale:
    """A range of numbers laid on pixels, ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

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
    """Return the value and the ends of its interval, as far as they are there."""
    if estimate is None:
        return []
    return [number for number in (estimate.value, estimate.low, estimate.high) if number is not None]


def around(numbers: Sequence[float], start: float, end: float) -> Scale:
    """Return a scale with some air around the numbers; one that spans something, even if they are all equal."""
    low, high = min(numbers), max(numbers)
    air = max((high - low) * 0.08, 0.01)
    return Scale(low - air, high + air, start, end)


class Mark(NamedTuple):
    """A point with its two intervals, in pixels, and how it looks."""

    x: float
    y: float
    x_ends: tuple[float, float] | None
    y_ends: tuple[float, float] | None
    shape: str
    colour: int
    role: Role
    title: str


class Tick(NamedTuple):
    """A number on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Panel:
    """One drawing of a model: a point an entry."""

    title: str
    line: Line
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    x_chance: float | None
    y_chance: float | None
    marks: Sequence[Mark]


class Key(NamedTuple):
    """One entry of a legend."""

    name: str
    shape: str
    colour: int
    role: Role


@dataclass(frozen=True)
class Figure:
    """Panels of the same two numbers, one a model, that share a legend."""

    key: str
    title: str
    about: str
    x_title: str
    y_title: str
    panels: Sequence[Panel]
    legend: Sequence[Key]


class Point(NamedTuple):
    """One entry's two numbers."""

    line: Line
    x: Estimate
    y: Estimate


LEAK, FORGETTING = COLUMNS["unlearner"][0], COLUMNS["unlearner"][1]


def figures(found: Sequence[Sample]) -> list[Figure]:
    """Return the figures that there are numbers for: the two axes, and the frontiers of leak and accuracy."""
    unlearners = [line for sample in found for line in sample.lines["unlearner"]]
    defenses = [line for sample in found for line in sample.lines["defense"]]
    leak = "deletion inference AUC"
    drawn = (
        _figure(
            "axes",
            "Unlearners on both axes",
            "Where the dashed lines cross, nothing can be told: neither from both models nor from the new one alone.",
            (leak, "forgetting AUC"),
            [
                Point(line, x, y)
                for line in unlearners
                if (x := line.estimate(LEAK)) and (y := line.estimate(FORGETTING))
            ],
        ),
        _figure(
            "unlearner-frontier",
            "Unlearners: leak and accuracy",
            "What a deletion gives away, against what the unlearned model is still worth. Further left leaks less.",
            (leak, "test accuracy"),
            [Point(line, x, y) for line in unlearners if (x := line.estimate(LEAK)) and (y := line.estimate(ACCURACY))],
        ),
        _figure(
            "defense-frontier",
            "Defenses: leak and accuracy",
            "The accuracy is that of the unlearned model itself, before a defense rounds or hides its answers.",
            (leak, "test accuracy"),
            [
                Point(line, x, y)
                for line in defenses
                if (x := line.estimate(COLUMNS["defense"][0])) and (y := line.estimate(ACCURACY))
            ],
        ),
    )
    return [figure for figure in drawn if figure.panels]


def _figure(key: str, title: str, about: str, axes: tuple[str, str], points: Sequence[Point]) -> Figure:
    sound = [point for point in points if point.x.value is not None and point.y.value is not None]
    names = list(dict.fromkeys(point.line.entry for point in sound))
    looks = {name: (SHAPES[i % len(SHAPES)], i % COLOURS) for i, name in enumerate(names)}
    groups: dict[tuple[str, ...], list[Point]] = {}
    for point in sound:
        groups.setdefault((*point.line.sample, point.line.model), []).append(point)
    both_axes = axes[1] == FORGETTING.title
    several = len({place[:2] for place in groups}) > 1
    panels = [
        _panel(", ".join((place[-1], *place[:2])) if several else place[-1], group, looks, both_axes)
        for place, group in groups.items()
    ]
    roles = {point.line.entry: point.line.role for point in sound}
    legend = [Key(name, *looks[name], roles[name]) for name in names]
    return Figure(key, title, about, *axes, panels, legend)


def _panel(title: str, points: Sequence[Point], looks: dict[str, tuple[str, int]], both_axes: bool) -> Panel:
    width, height = PANEL
    half = [CHANCE]
    x = around([n for p in points for n in ends(p.x)] + half, LEFT, width - RIGHT)
    y = around([n for p in points for n in ends(p.y)] + (half if both_axes else []), height - BOTTOM, TOP)
    return Panel(
        title,
        points[0].line,
        [Tick(x.at(n), _short(n)) for n in x.ticks()],
        [Tick(y.at(n), _short(n)) for n in y.ticks()],
        x.at(CHANCE),
        y.at(CHANCE) if both_axes else None,
        list(_marks(points, x, y, looks)),
    )


def _marks(points: Iterable[Point], x: Scale, y: Scale, looks: dict[str, tuple[str, int]]) -> Iterator[Mark]:
    for line, first, second in points:
        if first.value is None or second.value is None:
            continue
        title = f"{line.entry}: {first.value:.3f}, {second.value:.3f}"
        place = x.at(first.value), y.at(second.value)
        yield Mark(*place, _span(first, x), _span(second, y), *looks[line.entry], line.role, title)


def _span(estimate: Estimate, scale: Scale) -> tuple[float, float] | None:
    if estimate.low is None or estimate.high is None:
        return None
    return scale.at(estimate.low), scale.at(estimate.high)


def _short(number: float) -> str:
    return f"{number:g}".replace("0.", ".", 1)
