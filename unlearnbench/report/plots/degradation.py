"""The gain in an adversary's confidence through deletion, record by record; DegCount and DegRate summarize it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.report.plots.style import BLUE, FAINT, GREY, VERMILION, Files, looks, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS: Final = 41
"""An odd number: the middle bin holds the records whose confidence did not change."""
COLUMNS: Final = 3


@dataclass(frozen=True, eq=False)
class Gains:
    """The gains of one series."""

    series: str
    gains: NDArray[np.float64]
    """The gain (n,) of each record, in [-1, 1]: confidence in its true status, less that of the classical baseline."""


def degradation_plot(attacks: Sequence[Gains], path: Path, title: str = "") -> Files:
    """Draw one histogram an attack to ``path`` + ``.svg`` and ``.png``, all on the same axes.

    Raises :class:`UserError` where there are no attacks, or too many for one page.
    """
    looks(attack.series for attack in attacks)
    columns = min(COLUMNS, len(attacks))
    rows = ceil(len(attacks) / columns)
    with new_figure(1.2 + 3.3 * columns, 0.6 + 2.9 * rows) as figure:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for axes, attack in zip(grid.flat, attacks, strict=False):
            _histogram(axes, attack)
        for axes in grid.flat[len(attacks) :]:
            axes.remove()
        figure.supxlabel("gain in confidence in the true status", fontsize=11)
        figure.supylabel("share of records", fontsize=11)
        if title:
            figure.suptitle(title, x=0, ha="left", fontsize=11)
        return save(figure, path)


def _histogram(axes: Axes, attack: Gains) -> None:
    edges = np.linspace(-1, 1, BINS + 1)
    share = np.histogram(attack.gains, edges)[0] / len(attack.gains)
    middle = BINS // 2
    colours = [BLUE] * middle + [FAINT] + [VERMILION] * middle
    axes.bar(edges[:-1], share, np.diff(edges), align="edge", color=colours, edgecolor="white", linewidth=0.4)
    axes.set(title=attack.series, xlim=(-1.02, 1.02))
    axes.margins(y=0.3)  # room for the text above the bars
    axes.set_xticks((-1, -0.5, 0, 0.5, 1), ("\N{MINUS SIGN}1", "\N{MINUS SIGN}.5", "0", ".5", "1"))
    axes.tick_params(labelbottom=True)
    more, less = (attack.gains > 0).mean(), (attack.gains < 0).mean()
    style: dict[str, Any] = {"transform": axes.transAxes, "va": "top", "fontsize": 9}
    axes.text(0.02, 0.97, f"less confident\n{less:.0%}", color=BLUE, **style)
    axes.text(0.98, 0.97, f"more confident\n{more:.0%}", color=VERMILION, ha="right", **style)
    axes.text(0.5, 0.97, f"mean gain\n{attack.gains.mean():+.3f}", color=GREY, ha="center", **style)
