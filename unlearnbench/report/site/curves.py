"""ROC curves as small drawings: on linear axes, and on logarithmic ones, which show low false-positive rates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.report.publication import RocCurve
from unlearnbench.report.site.figures import BOTTOM, COLOURS, LEFT, PANEL, RIGHT, TOP, Scale, Tick
from unlearnbench.report.tracks import TrackRow
from unlearnbench.stats import Roc
from unlearnbench.suite.model import AXES

DASHES: Final = 3
"""How many dashes the style sheet has. Neighbours differ in colour and in dash; 24 curves look different."""
DECADES: Final = (0.001, 0.01, 0.1, 1.0)
"""The numbers on logarithmic axes."""
RATES: Final[NDArray[np.float64]] = np.unique(
    np.concatenate([[0.0], np.geomspace(DECADES[0], 1, 31), np.linspace(0, 1, 21)]).round(5)
)
"""The false-positive rates of the drawn points: enough for linear and for logarithmic axes."""


class RocGroup(NamedTuple):
    """The ROC curves of one setting and model."""

    title: str
    curves: Mapping[str, Roc]
    """The curves by the names of their attacks."""
    labels: Mapping[str, str] = {}
    """The labels of its rows on the axes that they share, for the filters of a board."""


class RocPath(NamedTuple):
    """One curve as it is drawn."""

    name: str
    path: str
    """The path in SVG; empty where there is nothing to draw."""
    colour: int
    dash: int


@dataclass(frozen=True)
class RocPanel:
    """The curves of one group on linear or on logarithmic axes."""

    title: str
    labels: Mapping[str, str]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    paths: Sequence[RocPath]


@dataclass(frozen=True)
class RocFigure:
    """All panels, logarithmic and linear side by side, and the legend that they share."""

    panels: Sequence[RocPanel]
    legend: Sequence[RocPath]


def drawn_rates(negatives: int) -> NDArray[np.bool_]:
    """Return which of the :data:`RATES` are drawn: 0, and those that so many negatives can have."""
    return np.equal(RATES, 0) | np.greater_equal(RATES, 1 / negatives)


def board_groups(curves: Iterable[RocCurve], lines: Iterable[TrackRow]) -> list[RocGroup]:
    """Return the curves of a board by setting and model; ``lines`` are the rows of its tables.

    A curve whose row is among the lines has the name that the tables give its model.
    """
    models = {tuple(line.names.values()): line.model for line in lines}
    groups: dict[tuple[str, ...], list[RocCurve]] = {}
    for curve in curves:
        model = models.get(tuple(curve.labels[axis] for axis in AXES), curve.labels["model"])
        groups.setdefault((model, curve.labels["dataset"], curve.labels["scenario"]), []).append(curve)
    several = len({names[1:] for names in groups}) > 1
    return [
        RocGroup(
            ", ".join(names) if several else names[0],
            {curve.labels["attack"]: Roc(np.array(curve.fpr), np.array(curve.tpr)) for curve in shown},
            shown[0].labels,
        )
        for names, shown in groups.items()
    ]


def roc_figure(groups: Sequence[RocGroup]) -> RocFigure | None:
    """Return the figure of ROC curves; None where there are none."""
    names = list(dict.fromkeys(name for group in groups for name in group.curves))
    looks = {name: (i % COLOURS, i % DASHES) for i, name in enumerate(names)}
    panels = [_panel(group, looks, logarithmic) for group in groups for logarithmic in (True, False)]
    return RocFigure(panels, [RocPath(name, "", *look) for name, look in looks.items()]) if panels else None


def _panel(group: RocGroup, looks: Mapping[str, tuple[int, int]], logarithmic: bool) -> RocPanel:
    width, height = PANEL
    low = math.log10(DECADES[0]) if logarithmic else 0.0
    high = 0.0 if logarithmic else 1.0
    x, y = Scale(low, high, LEFT, width - RIGHT), Scale(low, high, height - BOTTOM, TOP)
    numbers = DECADES if logarithmic else (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    return RocPanel(
        f"{group.title}: {'log-log' if logarithmic else 'linear'}",
        group.labels,
        [Tick(x.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [Tick(y.at(_on(number, logarithmic)), f"{number:g}") for number in numbers],
        [RocPath(name, _path(curve, x, y, logarithmic), *looks[name]) for name, curve in group.curves.items()],
    )


def _on(number: float, logarithmic: bool) -> float:
    return math.log10(number) if logarithmic else number


def _path(curve: Roc, x: Scale, y: Scale, logarithmic: bool) -> str:
    """Return the points as a path, without those that a logarithmic axis does not reach."""
    least = DECADES[0] if logarithmic else 0.0
    points = [(a, b) for a, b in zip(curve.fpr.tolist(), curve.tpr.tolist(), strict=True) if min(a, b) >= least]
    placed = [(x.at(_on(a, logarithmic)), y.at(_on(b, logarithmic))) for a, b in points]
    return "".join([f"M{placed[0][0]:g} {placed[0][1]:g}", *starmap(_step, pairwise(placed))]) if placed else ""


def _step(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return the line from one point to the next in the shortest command of SVG; empty for the same point."""
    across, down = (round(b - a, 1) for a, b in zip(start, end, strict=True))
    if not across:
        return f"v{down:g}" if down else ""
    return f"l{across:g} {down:g}" if down else f"h{across:g}"
