"""The ROC curves that a board draws, from the scores of a submission: few points, at the same rates for all."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unlearnbench.report.publication import RocCurve
from unlearnbench.report.roles import Roles
from unlearnbench.report.site.curves import RATES, drawn_rates
from unlearnbench.report.tracks import tables
from unlearnbench.report.tracks.attack import ATTACK
from unlearnbench.run.results import Row
from unlearnbench.stats import roc_curve
from unlearnbench.submissions.context import CheckContext
from unlearnbench.suite.model import AXES

Numbers = NDArray[np.float64]


def curves(context: CheckContext, rows: Sequence[Row], roles: Roles) -> tuple[RocCurve, ...]:
    """Return one curve for each line of the attack track: the mean over seeds, whose scores are on different scales.

    Above rate 0 a curve begins at the lowest rate that its negatives can have.
    """
    lines = [tuple(line.names.values()) for table in tables(rows, roles, [ATTACK]) for line in table.rows]
    found: dict[tuple[str, ...], list[Numbers]] = {name: [] for name in lines}
    fewest: dict[tuple[str, ...], int] = {}
    for name, scores, positive in _scored(context, found):
        found[name].append(roc_curve(scores, positive).tpr_at(RATES))
        fewest[name] = min(int((~positive).sum()), fewest.get(name, len(positive)))
    return tuple(_curve(name, np.mean(each, axis=0), fewest[name]) for name, each in found.items() if each)


def _scored(
    context: CheckContext, wanted: Container[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], Numbers, NDArray[np.bool_]]]:
    """Yield name, scores and membership of the game's rows, for each wanted cell and seed that has both."""
    for part, group in context.groups:
        chosen = [(n, cell) for n, cell in enumerate(group.cells.values()) if tuple(cell.labels.values()) in wanted]
        if not chosen:
            continue
        derived = context.remeasurer.derive(part, group)
        game = derived.game
        chosen_rows = np.isin(game.target.role, (game.positive, game.negative))
        positive = game.deleted(game.target)[chosen_rows]
        if positive.all() or not positive.any():
            continue
        for number, cell in chosen:
            scores = context.remeasurer.cell(part.cells[number], cell, derived).scores
            yield tuple(cell.labels.values()), scores[chosen_rows], positive


def _curve(name: tuple[str, ...], tpr: Numbers, negatives: int) -> RocCurve:
    shown = drawn_rates(negatives)
    labels: dict[str, str] = dict(zip(AXES, name, strict=True))
    return RocCurve(labels, tuple(RATES[shown].tolist()), tuple(tpr[shown].round(4).tolist()))
