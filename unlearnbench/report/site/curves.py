"""ROC curves as small drawings: linear, and logarithmic, where one sees what is found while few are accused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from unlearnbench.report.publication import Curve
from unlearnbench.report.site.figures import BOTTOM, COLOURS, LEFT, PANEL, RIGHT, TOP, Scale, Tick
from unlearnbench.report.site.tracks import PLAIN_UNLEARNER

SAMPLE: Final = ("dataset", "scenario")
DECADES: Final = (0.001, 0.01, 0.1, 1.0)


class Stroke(NamedTuple):
    """One curve: an SVG path, and how it looks; ``dash`` tells entries of the same colour apart."""

    name: str
    path: str
    colour: int
    dash: int


@dataclass(frozen=True)
class CurvePanel:
    """The curves of one model in one of the two drawings."""

    title: str
    labels: dict[str, str]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    strokes: Sequence[Stroke]


@dataclass(frozen=True)
class CurveFigure:
    """All panels, logarithmic and linear side by side, and the looks they share."""

    panels: Sequence[CurvePanel]
    legend: Sequence[Stroke]


def curve_figure(curves: Sequence[Curve]) -> CurveFigure | None:
    """Return what to draw; None where no scores were there to draw from."""
    names = list(dict.fromkeys(curve.labels["attack"] for curve in curves))
    looks = {name: (i % COLOURS, i // COLOURS) for i, name in enumerate(names)}
    groups: dict[tuple[str, ...], list[Curve]] = {}
    for curve in curves:
        groups.setdefault(tuple(value for axis, value in curve.labels.items() if axis != "attack"), []).append(curve)
    several = len({(curve.labels["dataset"], curve.labels["scenario"]) for curve in curves}) > 1
    panels = [
        _panel(_title(group[0], several), group, looks, logarithmic)
        for group in groups.values()
        for logarithmic in (True, False)
    ]
    return CurveFigure(panels, [Stroke(name, "", *look) for name, look in looks.items()]) if panels else None


def _title(curve: Curve, several: bool) -> str:
    """Name the model, how it was retrained where that is not the default, and the sample where there are several."""
    unlearner = curve.labels["unlearner"]
    shown = ["model", *(["unlearner"] if unlearner != PLAIN_UNLEARNER else []), *(SAMPLE if several else ())]
    return ", ".join(curve.labels[axis] for axis in shown)


def _panel(title: str, group: Sequence[Curve], looks: dict[str, tuple[int, int]], logarithmic: bool) -> CurvePanel:
    width, height = PANEL
    low = math.log10(DECADES[0]) if logarithmic else 0.0
    high = 0.0 if logarithmic else 1.0
    x, y = Scale(low, high, LEFT, width - RIGHT), Scale(low, high, height - BOTTOM, TOP)
    numbers = DECADES if logarithmic else (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    labels = dict(group[0].labels)
    return CurvePanel(
        f"{title}: {'log-log' if logarithmic else 'linear'}",
        labels,
        [Tick(x.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [Tick(y.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [
            Stroke(curve.labels["attack"], _path(curve, x, y, logarithmic), *looks[curve.labels["attack"]])
            for curve in group
        ],
    )


def _on(number: float, logarithmic: bool) -> float:
    return math.log10(number) if logarithmic else number


def _path(curve: Curve, x: Scale, y: Scale, logarithmic: bool) -> str:
    """Return the points as a path; those that a logarithmic axis does not reach are left out."""
    least = DECADES[0] if logarithmic else 0.0
    points = [(a, b) for a, b in zip(curve.false, curve.hits, strict=True) if min(a, b) >= least]
    placed = (f"{x.at(_on(a, logarithmic)):g} {y.at(_on(b, logarithmic)):g}" for a, b in points)
    return "M" + "L".join(placed) if points else ""
