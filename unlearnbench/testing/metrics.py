"""Requirements of metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.scenarios import Role
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import cases, check
from unlearnbench.testing.process import process_check
from unlearnbench.testing.samples import alike, copies, scored_cell

NAME: Final = re.compile(r"[a-z][a-z0-9]*([-.][a-z0-9]+)*")


def _cell(subject: Subject, originals: int = 4, requests: int = 3, seed: int = 0) -> ScoredCell:
    """Return a cell with all that the metric declares to read."""
    made = subject.made
    return scored_cell(originals, requests, seed, retrained=made.reads_retrained, references=made.reads_references)


def _wrong(measured: object) -> Iterator[str]:
    if not isinstance(measured, Mapping) or not measured:
        yield f"measure() must return estimates by name, got {measured!r:.60}"
        return
    for name, estimate in measured.items():
        if not isinstance(estimate, Estimate):
            yield f"{name} is {type(estimate).__name__}, not Estimate"
        elif None not in (estimate.value, estimate.low, estimate.high) and not _holds(estimate):
            yield f"{name}: {estimate.value} lies outside its interval [{estimate.low}, {estimate.high}]"


def _holds(estimate: Estimate) -> bool:
    value, low, high = (float(number or 0) for number in (estimate.value, estimate.low, estimate.high))
    return low - 1e-12 <= value <= high + 1e-12


@check("Return {name: Estimate(value, low, high, n)}, or Estimate.undefined(reason) where there is no number.")
def gives_estimates(subject: Subject) -> Iterator[str]:
    """It returns estimates by name, each inside its own interval."""
    yield from _wrong(subject.made.measure(_cell(subject)))


@check("Use lower-case words joined by hyphens: the names become columns and keys.")
def names_are_plain(subject: Subject) -> Iterator[str]:
    """The names of the estimates are lower-case words, the same for every cell."""
    names = [set(subject.made.measure(_cell(subject, seed=seed))) for seed in (0, 1)]
    yield from (f"{name!r} is not such a name" for name in sorted(names[0]) if not NAME.fullmatch(name))
    if names[0] != names[1]:
        yield f"names differ between cells: {', '.join(sorted(names[0] ^ names[1]))}"


@check("Bootstrap and permute with a generator made in `measure` from a fixed seed.")
def same_cell_same_estimates(subject: Subject) -> Iterator[str]:
    """Measured twice, a cell gives the same numbers."""
    if subject.made.measure(_cell(subject)) != subject.made.measure(_cell(subject)):
        yield "measuring the same cell again gives different numbers"


leaves_the_process = process_check(lambda subject: subject.made.measure(_cell(subject)))


@check("Work on copies: the arrays belong to every metric of the cell.")
def inputs_stay_as_they_were(subject: Subject) -> Iterator[str]:
    """Measuring changes neither scores nor observations."""
    cell = _cell(subject)
    before = copies(cell)
    subject.made.measure(cell)
    if not alike(before, copies(cell)):
        yield "the cell's arrays have changed"


@check("Use `cell.against(role)` and the rows' own fields, never the index of a row.")
def order_of_rows_has_no_influence(subject: Subject) -> Iterator[str]:
    """Permuted rows give the same numbers."""
    cell = _cell(subject)
    order = np.random.default_rng(0).permutation(len(cell.scores))
    first, second = subject.made.measure(cell), subject.made.measure(cell.take(order))
    for name in sorted(first.keys() & second.keys()):
        if not _close(first[name], second[name]):
            yield f"{name} changes with the order of rows: {first[name].value}, {second[name].value}"


def _close(one: Estimate, other: Estimate) -> bool:
    pairs = [(getattr(one, name), getattr(other, name)) for name in ("value", "low", "high")]
    return all((a is None and b is None) or (None not in (a, b) and np.isclose(a, b)) for a, b in pairs)


@check("Return Estimate.undefined(reason), or one without interval (status and reason), where a number is not defined.")
def edge_cases(subject: Subject) -> Iterator[str]:
    """Constant scores, one original, no negatives, no shadow scores, verdicts and scores beyond 0 and 1 work."""
    cell = _cell(subject)
    n = len(cell.scores)
    forgotten = cell.role == Role.FORGOTTEN
    by_name = {
        "constant scores": replace(cell, scores=np.full(n, 0.5), baseline=np.full(n, 0.5)),
        "verdicts": replace(cell, scores=np.round(2 * cell.scores) / 2, folds=np.round(2 * cell.folds) / np.float32(2)),
        "perfect scores": replace(cell, scores=forgotten.astype(float)),
        "one original and one request": _cell(subject, 1, 1),
        "no negatives": cell.take(forgotten),
        "no shadow scores": replace(cell, shadow_scores=np.empty(0), shadow_deleted=np.empty(0, dtype=np.bool_)),
        "scores that are not probabilities": replace(cell, probabilistic=False, baseline_probabilistic=False),
        "negative scores": replace(cell, scores=cell.scores - 5, probabilistic=False),
    }
    yield from cases({name: _measuring(subject.made, each) for name, each in by_name.items()})


def _measuring(metric: Metric, cell: ScoredCell) -> Callable[[], Iterator[str]]:
    return lambda: _wrong(metric.measure(cell))


CHECKS: Final = (
    gives_estimates,
    names_are_plain,
    same_cell_same_estimates,
    leaves_the_process,
    inputs_stay_as_they_were,
    order_of_rows_has_no_influence,
    edge_cases,
)
