"""Runs some cells of a submission again and compares. Which ones, nobody can know before the nonce is announced.

Where engine, device and environment are those of the submission, every array must be bitwise equal, wall times
excepted. Elsewhere arithmetic differs in its last digits, and training may diverge; then, for every metric with an
interval on both sides, the two intervals must overlap. If a share q of the cells is forged, N drawn cells contain at
least one of them with probability 1 - (1 - q)^N: where few are forged, few draws find none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import one_line
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cell_results import CellResult, get_result
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.failures import MissingError
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.check import CheckContext
from unlearnbench.submissions.claims import claims
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, cell_id, where_cell
from unlearnbench.submissions.group_arrays import read_group
from unlearnbench.submissions.remeasure import DerivedGame
from unlearnbench.submissions.schema import GroupPart

RUN_AGAIN: Final = "run again"
"""How the line of each cell that was run again begins."""
REMEDY = "ask its author how it was made; without an answer the submission is not accepted"
Drawn = tuple[GroupPart, CellGroup, frozenset[CellId]]


def draw(digest: str, nonce: str, cells: Sequence[CellId], n: int) -> frozenset[CellId]:
    """Return ``n`` of the cells: those whose sha256 of digest, nonce and name comes first."""

    def order(cell: CellId) -> str:
        return hashlib.sha256(f"{digest}\n{nonce}\n{canonical_json(cell)}".encode()).hexdigest()

    return frozenset(sorted(cells, key=order)[:n])


def rerun(context: CheckContext, n: int, nonce: str) -> tuple[list[Finding], list[str]]:
    """Run ``n`` cells again, in a temporary store; return what differs, and a line for each cell.

    UserError for a number below 1 or an empty nonce.
    """
    if n < 1 or not nonce.strip():
        raise UserError("--rerun takes a number from 1 on, and --nonce a text that was announced after submission")
    cells = [cell_id(cell) for cell in context.plan.cells.values()]
    chosen = draw(context.submission.document.digest, nonce, cells, n)
    drawn = [
        (part, group, wanted)
        for part, group in context.groups
        if (wanted := chosen.intersection(cell_id(cell) for cell in group.cells.values()))
    ]
    with TemporaryDirectory(prefix="unlearnbench-rerun-") as folder:
        store = Store(Path(folder))
        groups = tuple(_only(group, wanted) for _, group, wanted in drawn)
        runner = Runner(context.instances, store, choose_executor(context.instances))
        runner.run(replace(context.plan, groups=groups, skipped=()))
        with one_thread():
            found = [finding for one in drawn for finding in _compare(context, store, *one)]
    return found, [
        f"{RUN_AGAIN}, {_how(context, part, group)}: {', '.join(name)}"
        for part, group, wanted in drawn
        for name in sorted(wanted)
    ]


def _only(group: CellGroup, wanted: frozenset[CellId]) -> CellGroup:
    return replace(group, cells={key: cell for key, cell in group.cells.items() if cell_id(cell) in wanted})


def _exact(context: CheckContext, part: GroupPart, group: CellGroup) -> bool:
    first = group.target[0]
    same_engine = (part.engine, part.device) == (first.engine, first.device)
    return same_engine and context.submission.document.environment == fingerprint()


def _how(context: CheckContext, part: GroupPart, group: CellGroup) -> str:
    return (
        "compared to the bit" if _exact(context, part, group) else "compared by intervals, this is another environment"
    )


def _compare(
    context: CheckContext, store: Store, part: GroupPart, group: CellGroup, wanted: frozenset[CellId]
) -> Iterator[Finding]:
    try:
        shared = read_group(group, store)
        derived = context.remeasurer.derive(part, group)
    except MissingError as error:
        yield _not_run(min(wanted), str(error))
        return
    except RefusedError:  # reported by the check
        return
    exact = _exact(context, part, group)
    if exact and (differing := _differing(derived.arrays, shared, ("matched", "accuracies", "epsilon"))):
        yield Finding(where_cell(min(wanted)), f"{RUN_AGAIN}, its models have other {differing}", REMEDY)
    for number, (key, cell) in enumerate(group.cells.items()):
        name = cell_id(cell)
        if name not in wanted:
            continue
        result = get_result(store, key)
        if result is None:
            failure = store.failure("cell", key)
            yield _not_run(name, failure.reason if failure else "it has no result")
        elif differing := _cell_differs(context, part, number, cell, derived, result, exact):
            yield Finding(where_cell(name), f"{RUN_AGAIN}, it has other {differing}", REMEDY)


def _not_run(name: CellId, reason: str) -> Finding:
    return Finding(where_cell(name), f"cannot be run here ({one_line(reason)[:200]})", "fix that and check again")


def _cell_differs(
    context: CheckContext,
    part: GroupPart,
    number: int,
    cell: Cell,
    derived: DerivedGame,
    result: CellResult,
    exact: bool,
) -> str:
    """Name what differs in a cell that was run again; what cannot be read was reported by the check."""
    try:
        if exact:
            submitted = context.remeasurer.cell(part.cells[number], cell, derived)
            return _differing(submitted, result.scores, tuple(vars(submitted)))
        return _disjoint_metrics(claims(context.submission.document, part, number), result.estimates)
    except (RefusedError, KeyError):
        return ""


def _differing(submitted: object, computed: object, names: Sequence[str]) -> str:
    """Name the arrays that are not bitwise equal; ``None`` stands for one that is not there."""
    pairs = {name: (getattr(submitted, name), getattr(computed, name)) for name in names}
    return ", ".join(name for name, (one, other) in pairs.items() if not (one is other or np.array_equal(one, other)))


def _disjoint_metrics(submitted: Mapping[str, Estimate], computed: Mapping[str, Estimate]) -> str:
    """Name the metrics whose intervals do not overlap."""
    return ", ".join(
        name
        for name in sorted(submitted.keys() & computed.keys())
        if not name.startswith("seconds-") and _disjoint(submitted[name], computed[name])
    )


def _disjoint(one: Estimate, other: Estimate) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low
