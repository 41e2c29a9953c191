"""From the rows and stored scores of a finished run to the values that plots show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack
from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.observations import Observations
from unlearnbench.core.scenarios import Scenario
from unlearnbench.report.plots.choose import of_seeds, series
from unlearnbench.report.plots.degradation import Gains
from unlearnbench.report.plots.frontier import FrontierPoint
from unlearnbench.report.plots.parameter import ParameterPoint
from unlearnbench.report.plots.pareto import ParetoPoint
from unlearnbench.report.plots.roc import RocInput
from unlearnbench.report.roles import Roles
from unlearnbench.report.tracks import UNLEARNER, tables
from unlearnbench.report.tracks.unlearner import HIGHEST, RECORD_PASSES, TEST_GAP
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.episode_arrays import from_arrays
from unlearnbench.run.instances import baseline_ref
from unlearnbench.run.results import Row, headline_rows
from unlearnbench.run.session import Session
from unlearnbench.stats import true_confidence
from unlearnbench.suite.model import AXES, DatasetRef, PluginRef

AGAIN = "a stored result is gone or damaged; run the suite again"


class _RowCell(NamedTuple):
    """A row and its cell."""

    row: Row
    cell: Cell
    key: str
    """The store key of the cell."""
    group: CellGroup
    """The cells that share its models."""


def roc_runs(run: Session, rows: Sequence[Row]) -> list[RocInput]:
    """Return each row's scores of the game's positives and negatives, in the order of the rows."""
    name = series(rows)
    return [_scored(run, found, name(found.row)) for found in _cells(run, of_seeds(rows))]


def _scored(run: Session, found: _RowCell, name: str) -> RocInput:
    seen, scenario = _observations(run, found.group), _scenario(run, found)
    game = np.isin(seen.role, (scenario.positive, scenario.negative))
    return RocInput(name, _scores(run, found.key)[game], np.asarray(seen.role == scenario.positive)[game])


def degradation_gains(run: Session, rows: Sequence[Row]) -> list[Gains]:
    """Return each series' gains over its baseline in the balanced game of DegRate, records of all seeds together.

    Attacks whose scores are not probabilities, and baselines, have none; :class:`UserError` if no attack has any.
    """
    name = series(rows)
    gains: dict[str, list[NDArray[np.float64]]] = {}
    for found in _cells(run, of_seeds(rows)):
        baseline = _baseline(run, found)
        if baseline is not None:
            gains.setdefault(name(found.row), []).append(_gains(run, found, baseline))
    if not gains:
        raise UserError("nothing to plot: no attack chosen gives probabilities to compare with those of its baseline")
    return [Gains(each, np.concatenate(values)) for each, values in gains.items()]


def _baseline(run: Session, found: _RowCell) -> str | None:
    """Return the store key of the cell to compare with, None where there is nothing to compare."""
    cell, baseline = found.cell, baseline_ref(found.cell.attack, run.instances)
    probable = all(run.instances.make(ref, Attack).probabilistic for ref in (cell.attack, baseline))
    if not probable or _same(cell.attack, baseline):
        return None
    for key, other in found.group.cells.items():
        if other.defense.label == cell.defense.label and _same(other.attack, baseline):
            return key
    raise UserError(f"{cell.attack.label} is compared with {baseline.label}, which the suite must list for this plot")


def _same(one: PluginRef, other: PluginRef) -> bool:
    return (one.name, dict(one.params)) == (other.name, dict(other.params))


def _gains(run: Session, found: _RowCell, baseline: str) -> NDArray[np.float64]:
    seen, scenario = _observations(run, found.group), _scenario(run, found)
    rows = seen.paired(scenario.positive, scenario.negative)
    positive = np.asarray(seen.role == scenario.positive)[rows]
    own, classical = (true_confidence(_scores(run, key)[rows], positive) for key in (found.key, baseline))
    return np.asarray(own - classical)


def _cells(run: Session, rows: Sequence[Row]) -> Iterator[_RowCell]:
    """Yield each row with its cell, in the order of the rows."""
    by_name = {
        (tuple(cell.labels.values()), cell.seed): (cell, key, group)
        for group in run.plan.groups
        for key, cell in group.cells.items()
    }
    for row in rows:
        yield _RowCell(row, *by_name[tuple(row.names.values()), int(row.seed or 0)])


def _scenario(run: Session, found: _RowCell) -> Scenario:
    return run.instances.make(found.cell.scenario, Scenario)


def _scores(run: Session, key: str) -> NDArray[np.float64]:
    entry = run.store.get("cell", key)
    if entry is None:
        raise UserError(AGAIN)
    return np.asarray(entry.arrays["scores"], dtype=np.float64)


def _observations(run: Session, group: CellGroup) -> Observations:
    entries = [run.store.get("episode", task.key) for task in group.target]
    if any(entry is None for entry in entries):
        raise UserError(AGAIN)
    return Observations.concatenate([from_arrays(entry.arrays, {}).observations for entry in entries if entry])


def parameter_points(rows: Sequence[Row], x: str, metric: str) -> list[ParameterPoint]:
    """Return the metric against ``x``, "axis.parameter"; a data set also has "episodes.size" and "adversary.size".

    Rows without this parameter, or with one that is not a number, are left out. Raises :class:`UserError` for an
    unknown parameter or metric, and where two rows of one series have the same ``x``.
    """
    axis, _, parameter = x.partition(".")
    if axis not in AXES:
        raise UserError(f'--x {x}: must be axis.parameter, for example "scenario.size"{did_you_mean(axis, AXES)}')
    every = headline_rows(rows)
    known = sorted({name for row in every for name in _numbers(row.axes[axis])})
    shown = [row for row in every if parameter in _numbers(row.axes[axis])]
    if not shown:
        raise UserError(f"--x {x}: no {axis} has this number{did_you_mean(parameter, known)}")
    name = series(shown, axis)
    points = [
        ParameterPoint(_numbers(row.axes[axis])[parameter], estimate.value, estimate.low, estimate.high, name(row))
        for row, estimate in _estimates(shown, metric)
        if estimate.value is not None
    ]
    _refuse_twice(points, x)
    return points


def _refuse_twice(points: Sequence[ParameterPoint], x: str) -> None:
    counts = Counter((point.series, point.x) for point in points)
    for (name, value), count in counts.items():
        if count > 1:
            raise UserError(f"--x {x}: {name} has several values at {value:g}; choose with --where")


def _numbers(ref: PluginRef) -> dict[str, float]:
    """Return the parameters of an entry that are numbers, and the sizes of a data set's episodes."""
    named: dict[str, object] = dict(ref.params)
    if isinstance(ref, DatasetRef):
        for side in ("episodes", "adversary"):
            named |= {f"{side}.{size}": number for size, number in asdict(getattr(ref, side)).items()}
    return {
        key: float(value)
        for key, value in named.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def frontier_points(rows: Sequence[Row], utility: str, metric: str) -> list[FrontierPoint]:
    """Return each defense's leak against its utility; several attacks, models, ... are several series."""
    shown = headline_rows(rows)
    name = series(shown, "defense")
    utilities = {id(row): estimate.value for row, estimate in _estimates(shown, utility)}
    return [
        FrontierPoint(row.names["defense"], utilities[id(row)] or 0.0, leak.value, leak.low, leak.high, name(row))
        for row, leak in _estimates(shown, metric)
        if leak.value is not None and utilities[id(row)] is not None
    ]


def pareto_points(rows: Sequence[Row], roles: Roles, gap: str) -> list[ParetoPoint]:
    """Return each unlearner's leak against the absolute value of a gap, as the table of unlearners has them.

    The leak is the AUC of the strongest attack that is an entry and queries both models. Unlearners without one of the
    two numbers are left out. Raises :class:`UserError` where no row has the gap, or where there are several models.
    """
    _estimates(headline_rows(rows), gap)
    lines = [line for table in tables(rows, roles, [UNLEARNER]) for line in table.rows]
    if len({(line.setting, line.model) for line in lines}) > 1:
        raise UserError("unlearners of several models or settings are no one front; choose one with --where")
    known = [(line, line.estimate(HIGHEST), line.estimate(replace(TEST_GAP, metric=gap))) for line in lines]
    return [
        ParetoPoint(
            line.entry,
            abs(x.value),
            y.value,
            y.low,
            y.high,
            cost=_value(line.estimate(RECORD_PASSES)),
            entry=line.role == "entry",
        )
        for line, y, x in known
        if y is not None and y.value is not None and x is not None and x.value is not None
    ]


def _value(estimate: Estimate | None) -> float | None:
    return estimate.value if estimate else None


def _estimates(rows: Sequence[Row], metric: str) -> list[tuple[Row, Estimate]]:
    """Return each row's estimate of a metric; :class:`UserError` where no row has it, or none has a value."""
    known = sorted({name for row in rows for name in row.metrics})
    found = [(row, row.metrics[metric]) for row in rows if metric in row.metrics]
    if not found:
        raise UserError(f"the suite does not measure {metric!r}{did_you_mean(metric, known)}")
    if all(estimate.value is None for _, estimate in found):
        raise UserError(f"nothing to plot: {metric} is undefined, {found[0][1].reason}")
    return [(row, row.metrics.get(metric, Estimate.undefined("not measured"))) for row in rows]
