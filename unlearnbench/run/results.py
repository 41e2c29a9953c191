"""The results of a run as rows: one for each cell and seed, and one for the mean over seeds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any, Literal, TypeVar

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import FailureStatus
from unlearnbench.run.cells import Cell, Plan
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.store import Store
from unlearnbench.run.validity import ValidityTests
from unlearnbench.stats import holm, t_interval
from unlearnbench.suite.model import AXES, PluginRef

Key = TypeVar("Key", bound=Hashable)
Sample = tuple[str, str, int | None]
"""The labels of data set and scenario, and the seed: the same deleted and unseen records."""
RowStatus = Literal["ok", "skipped", "missing", "invalid", FailureStatus]
ABOVE_HALF, ABOVE_RETAINED = "p_above_half", "p_above_retained"
TESTS = frozenset((ABOVE_HALF, ABOVE_RETAINED))
"""The details of a metric that decide which rows are invalid: p-values."""
SAMPLE_LEVEL = 0.001
"""A test of the sample that beats chance at this level, adjusted by Holm, invalidates the sample's cells. At .05 it
would invalidate one in twenty valid samples."""


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one cell with one seed, or its mean over seeds."""

    axes: Mapping[str, PluginRef]
    """The plug-in on each axis."""
    seed: int | None
    """None for the mean over seeds."""
    status: RowStatus = "ok"
    reason: str = ""
    """Why the status is not ``ok``."""
    metrics: Mapping[str, Estimate] = field(default_factory=dict)
    """The estimate of each metric; empty where there is no result."""
    outcomes: Outcomes | None = None
    """What became of its models; None where that is not known."""

    @property
    def names(self) -> dict[str, str]:
        """The label of the plug-in on each axis."""
        return {axis: ref.label for axis, ref in self.axes.items()}

    @property
    def note(self) -> str:
        """What must be read with its numbers: its reason, and how many of its models collapsed or did not move."""
        marks = self.outcomes.marks if self.outcomes else ()
        return "; ".join(filter(None, (self.reason, *marks)))

    def to_dict(self) -> dict[str, object]:
        """Return the row as JSON-able data."""
        axes = {axis: {"name": ref.name, "params": dict(ref.params)} for axis, ref in self.axes.items()}
        metrics = {name: asdict(estimate) for name, estimate in self.metrics.items()}
        result = {"seed": self.seed, "status": self.status, "reason": self.reason, "metrics": metrics}
        outcomes = {"outcomes": asdict(self.outcomes)} if self.outcomes else {}
        return {**axes, "labels": self.names, **result, **outcomes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Row:
        """Return the row that :meth:`to_dict` wrote."""
        axes: dict[str, PluginRef] = {axis: PluginRef(axis, **data[axis], label=data["labels"][axis]) for axis in AXES}
        metrics = {name: Estimate(**fields) for name, fields in data["metrics"].items()}
        outcomes = Outcomes(**data["outcomes"]) if "outcomes" in data else None
        return cls(axes, data["seed"], data["status"], data["reason"], metrics, outcomes)


def collect(plan: Plan, store: Store) -> list[Row]:
    """Return the rows of a plan from what the store holds, seeds first, then the means over seeds."""
    return with_means(_of_seeds(plan, store, lambda _: True))


def collect_states(plan: Plan, store: Store) -> list[Row]:
    """Return the rows of all seeds to read their status and reason, with those metrics only that decide it."""
    return _of_seeds(plan, store, lambda fields: not TESTS.isdisjoint(fields["details"]))


def _of_seeds(plan: Plan, store: Store, wanted: Callable[[Mapping[str, Any]], bool]) -> list[Row]:
    """Return the rows of all seeds, with those metrics whose fields are wanted."""
    done = [_row(cell, store, key, wanted) for key, cell in plan.cells.items()]
    return mark(in_suite_order(plan, [*done, *rows_without_work(plan)]), plan.tests)


def rows_without_work(plan: Plan) -> list[Row]:
    """Return the rows of the cells that cannot run."""
    return [
        *(Row(cell.axes, cell.seed, "skipped", cell.reason) for cell in plan.skipped),
        *(Row(cell.axes, cell.seed, "failed", cell.reason) for cell in plan.failed),
    ]


def complete(rows: Sequence[Row], tests: ValidityTests) -> list[Row]:
    """Return the rows of all seeds with all that follows from them: which are invalid, and the means over seeds."""
    return with_means(mark(rows, tests))


def mark(rows: Sequence[Row], tests: ValidityTests) -> list[Row]:
    """Return the rows of all seeds; those that are invalid are marked."""
    return mark_cheating(mark_invalid(rows, tests.sample), tests)


def with_means(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of all seeds, and the means over seeds where there are several."""
    return [*rows, *(mean_over_seeds(rows) if len({row.seed for row in rows}) > 1 else [])]


def _row(cell: Cell, store: Store, key: str, wanted: Callable[[Mapping[str, Any]], bool]) -> Row:
    payload = store.payload("cell", key)
    if payload is not None:
        stored: Any = payload
        metrics = {name: Estimate(**fields) for name, fields in stored["metrics"].items() if wanted(fields)}
        return Row(cell.axes, cell.seed, metrics=metrics, outcomes=Outcomes(**stored["outcomes"]))
    failure = store.failure("cell", key)
    if failure is not None:
        return Row(cell.axes, cell.seed, failure.status, failure.reason)
    return Row(cell.axes, cell.seed, "missing", "not run yet")


def in_suite_order(plan: Plan, rows: Iterable[Row]) -> list[Row]:
    """Sort rows as the suite lists their plug-ins."""
    order = {axis: {ref.label: i for i, ref in enumerate(refs)} for axis, refs in plan.full.axes.items()}
    return sorted(rows, key=lambda row: (*(order[axis][row.axes[axis].label] for axis in AXES), row.seed))


def mark_invalid(rows: Sequence[Row], sample_tests: Collection[str]) -> list[Row]:
    """Mark the rows whose deleted and unseen records an attack can distinguish without any model.

    ``sample_tests`` are the names of the attacks that decide it. Each gives one one-sided test per data set, scenario
    and seed (the sample is the same for all models and defenses). All of them are adjusted together by Holm.
    """
    level: dict[tuple[str, Sample], float] = {}
    for row in rows:
        p = _detail(row, ABOVE_HALF) if row.axes["attack"].name in sample_tests else None
        if p is not None:
            level[row.axes["attack"].label, _sample(row)] = p
    reasons = {
        sample: f"{attack} tells deleted from unseen without any model, p {p:.1e}"
        for (attack, sample), p in _significant(level).items()
    }
    return [_invalid(row, reasons.get(_sample(row))) for row in rows]


def mark_cheating(rows: Sequence[Row], tests: ValidityTests) -> list[Row]:
    """Mark the rows of attacks that tell forgotten records from retained ones where nothing was deleted.

    Both were members of the original alike, and are of the unlearned model, so no attack that scores what models
    answer can tell them apart. Each row of a tested attack with an unlearner that deletes nothing gives one one-sided
    test; all are adjusted together by Holm. A test below :data:`SAMPLE_LEVEL` invalidates all rows of the attack with
    the same data set, scenario and seed, unless a reference tells them apart too: then the scenario chose other records
    to forget than to retain.
    """
    found: dict[tuple[str, ...], tuple[Row, float]] = {}
    for row in rows:
        name = row.axes["attack"].name
        if row.axes["unlearner"].name in tests.deleting_nothing and name in tests.tested | tests.references:
            p = _detail(row, ABOVE_RETAINED)
            if row.status == "ok" and p is not None:
                found[(*row.names.values(), str(row.seed))] = row, p
    significant = _significant({key: p for key, (_, p) in found.items()})
    by_attack = [(found[key][0], p) for key, p in significant.items()]
    excused = {_sample(row) for row, _ in by_attack if row.axes["attack"].name in tests.references}
    reasons = {
        (row.axes["attack"].label, _sample(row)): "tells forgotten from retained records where "
        f"{row.axes['unlearner'].label} deletes nothing, p {p:.1e}"
        for row, p in by_attack
        if row.axes["attack"].name in tests.tested and _sample(row) not in excused
    }
    return [_invalid(row, reasons.get((row.axes["attack"].label, _sample(row)))) for row in rows]


def _invalid(row: Row, reason: str | None) -> Row:
    """Return the row marked invalid if there is a reason and it has a result."""
    return replace(row, status="invalid", reason=reason) if reason and row.status == "ok" else row


def _significant(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return the p-values below :data:`SAMPLE_LEVEL`, adjusted by Holm over all of them."""
    if not p_values:
        return {}
    adjusted = zip(p_values, holm(list(p_values.values())), strict=True)
    return {key: float(p) for key, p in adjusted if p < SAMPLE_LEVEL}


def _sample(row: Row) -> Sample:
    return (row.axes["dataset"].label, row.axes["scenario"].label, row.seed)


def _detail(row: Row, name: str) -> float | None:
    """Return the detail of this name of the metric that has it, None where none has."""
    values = (estimate.details.get(name) for estimate in row.metrics.values())
    return next((p for p in values if p is not None), None)


def mean_over_seeds(rows: Sequence[Row]) -> list[Row]:
    """Return one row a cell: each metric's mean over seeds with a t interval. Scores are never pooled over seeds."""
    return [_mean(group) for group in by_cell(rows).values()]


def by_cell(rows: Iterable[Row]) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows of each cell, by the labels of its plug-ins: one a seed, and their mean if it is among them."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row.names.values()), []).append(row)
    return groups


def headline_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the means over seeds; where there are none, the rows of the only seed."""
    return [row for row in rows if row.seed is None] or list(rows)


def _mean(rows: Sequence[Row]) -> Row:
    """Return the mean of one cell. If a seed has no result, the mean has none either, and names the seed."""
    bad = next((row for row in rows if row.status != "ok"), None)
    if bad is not None:
        reason = bad.reason if bad.status == "skipped" else f"seed {bad.seed}: {bad.reason}"
        return Row(rows[0].axes, None, bad.status, reason)
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    absent = Estimate.undefined("not measured")
    metrics = {name: _mean_estimate([row.metrics.get(name, absent) for row in rows]) for name in names}
    known = [row.outcomes for row in rows if row.outcomes]
    return Row(rows[0].axes, None, metrics=metrics, outcomes=reduce(add, known) if len(known) == len(rows) else None)


def _mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    missing = next((estimate for estimate in estimates if estimate.value is None), None)
    if missing is not None:
        return Estimate.undefined(f"not defined for every seed: {missing.reason}", n=len(estimates))
    values = [float(estimate.value) for estimate in estimates if estimate.value is not None]
    return t_interval(values, estimates[0].scale)
