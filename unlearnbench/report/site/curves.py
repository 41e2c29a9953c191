"""ROC curves as small drawings: on linear axes, and on logarithmic ones, which show low false-positive rates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from unlearnbench.report.publication import RocCurve
from unlearnbench.report.site.figures import BOTTOM, COLOURS, LEFT, PANEL, RIGHT, TOP, Scale, Tick
from unlearnbench.report.tracks import TrackRow
from unlearnbench.suite.model import AXES

DECADES: Final = (0.001, 0.01, 0.1, 1.0)


class RocPath(NamedTuple):
    """One curve as it is drawn."""

    name: str
    path: str
    """The path in SVG; empty where there is nothing to draw."""
    colour: int
    dash: int
    """Curves of the same colour have different dashes."""


@dataclass(frozen=True)
class RocPanel:
    """The curves of one setting and model, on linear or on logarithmic axes."""

    title: str
    labels: Mapping[str, str]
    """The labels of its curves on the axes that they share, for the filters of the page."""
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    paths: Sequence[RocPath]


@dataclass(frozen=True)
class RocFigure:
    """All panels, logarithmic and linear side by side, and the legend that they share."""

    panels: Sequence[RocPanel]
    legend: Sequence[RocPath]


def roc_figure(curves: Sequence[RocCurve], lines: Iterable[TrackRow] = ()) -> RocFigure | None:
    """Return the figure of ROC curves, None where there are none; ``lines`` are of the tables beside it.

    A curve whose row is among the lines has the name that the tables give its model.
    """
    models = {tuple(line.names.values()): line.model for line in lines}
    names = list(dict.fromkeys(curve.labels["attack"] for curve in curves))
    looks = {name: (i % COLOURS, i // COLOURS) for i, name in enumerate(names)}
    groups: dict[tuple[str, ...], list[RocCurve]] = {}
    for curve in curves:
        model = models.get(tuple(curve.labels[axis] for axis in AXES), curve.labels["model"])
        groups.setdefault((model, curve.labels["dataset"], curve.labels["scenario"]), []).append(curve)
    several = len({group[1:] for group in groups}) > 1
    panels = [
        _panel(", ".join(group) if several else group[0], shown, looks, logarithmic)
        for group, shown in groups.items()
        for logarithmic in (True, False)
    ]
    return RocFigure(panels, [RocPath(name, "", *look) for name, look in looks.items()]) if panels else None


def _panel(title: str, group: Sequence[RocCurve], looks: dict[str, tuple[int, int]], logarithmic: bool) -> RocPanel:
    width, height = PANEL
    low = math.log10(DECADES[0]) if logarithmic else 0.0
    high = 0.0 if logarithmic else 1.0
    x, y = Scale(low, high, LEFT, width - RIGHT), Scale(low, high, height - BOTTOM, TOP)
    numbers = DECADES if logarithmic else (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return RocPanel(
        f"{title}: {'log-log' if logarithmic else 'linear'}",
        group[0].labels,
        [Tick(x.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [Tick(y.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [
            RocPath(curve.labels["attack"], _path(curve, x, y, logarithmic), *looks[curve.labels["attack"]])
            for curve in group
        ],
    )


def _on(number: float, logarithmic: bool) -> float:
    return math.log10(number) if logarithmic else number


def _path(curve: RocCurve, x: Scale, y: Scale, logarithmic: bool) -> str:
    """Return the points as a path, without those that a logarithmic axis does not reach."""
    least = DECADES[0] if logarithmic else 0.0
    points = [(a, b) for a, b in zip(curve.fpr, curve.tpr, strict=True) if min(a, b) >= least]
    placed = (f"{x.at(_on(a, logarithmic)):g} {y.at(_on(b, logarithmic)):g}" for a, b in points)
    return "M" + "L".join(placed) if points else ""
