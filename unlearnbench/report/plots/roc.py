"""ROC curves: on linear axes, and on logarithmic ones, which show low false-positive rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from unlearnbench.report.plots.style import DASHES, FAINT, Files, Look, looks, new_figure, save
from unlearnbench.stats import auc, roc_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST: Final = 1e-3
"""Where the logarithmic axes begin."""
FPR: Final[NDArray[np.float64]] = np.unique(
    np.concatenate([[0.0], np.geomspace(LEAST, 1, 301), np.linspace(0, 1, 201)])
)
"""The false-positive rates at which curves of several seeds are averaged."""


@dataclass(frozen=True, eq=False)
class RocInput:
    """The scores of one series with one seed."""

    series: str
    """The name of the series: one curve each."""
    scores: NDArray[np.float64]
    """Scores (n,); a higher one says "deleted"."""
    positive: NDArray[np.bool_]
    """Which records (n,) were deleted."""


def roc_plot(runs: Sequence[RocInput], path: Path, title: str = "") -> Files:
    """Draw one curve a series to ``path`` + ``.svg`` and ``.png``: the mean over its runs and, shaded, their range.

    A run is one seed: scores of different seeds are on different scales, and are not pooled. Raises
    :class:`UserError` where there are no runs, or more series than there are colours; ValueError where a run lacks
    positives or negatives.
    """
    look = looks(run.series for run in runs)
    with new_figure(9.2, 4.2) as figure:
        linear, logarithmic = figure.subplots(1, 2)
        for axes in (linear, logarithmic):
            axes.plot([0, *FPR[1:]], [0, *FPR[1:]], color=FAINT, linewidth=1.2, linestyle=DASHES, label="chance")
            for name in sorted(look, key=lambda name: -_area(runs, name)):
                _curve(axes, [run for run in runs if run.series == name], look[name])
            axes.set(xlabel="false-positive rate", ylabel="true-positive rate", aspect="equal")
        linear.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title=title)
        logarithmic.set(xscale="log", yscale="log", xlim=(LEAST, 1.1), ylim=(LEAST, 1.1))
        _legend(linear)
        return save(figure, path)


def _area(runs: Sequence[RocInput], name: str) -> float:
    return float(np.mean([auc(run.scores, run.positive) for run in runs if run.series == name]))


def _curve(axes: Axes, runs: Sequence[RocInput], look: Look) -> None:
    """Draw one series, from the lowest rate above 0 that its negatives can have."""
    curves = np.stack([roc_curve(run.scores, run.positive).tpr_at(FPR) for run in runs])
    least = 1 / min((~run.positive).sum() for run in runs)
    shown = np.equal(FPR, 0) | np.greater_equal(FPR, least)
    x, middle = FPR[shown], curves.mean(axis=0)[shown]
    if len(runs) > 1:
        axes.fill_between(x, curves.min(axis=0)[shown], curves.max(axis=0)[shown], color=look.colour, alpha=0.15, lw=0)
    label = f"{runs[0].series}  {_area(runs, runs[0].series):.3f}"
    marked = np.searchsorted(x, (0.01, 0.03, 0.1, 0.3, 0.6)).tolist()
    axes.plot(x, middle, color=look.colour, marker=look.marker, markevery=marked, markeredgecolor="white", label=label)


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(
        [*handles[1:], handles[0]], [*labels[1:], labels[0]], loc="outside right center", title="AUC", alignment="left"
    )
