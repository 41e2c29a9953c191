"""Runs a few cells of a submission anew and compares. Which ones, nobody can know before the nonce is announced.

Where engine, device and environment are those of the submission, every array must come out bitwise equal, wall times
excepted. Elsewhere arithmetic differs in its last digits and training may go another way; then, for every metric with
an interval on both sides, the two intervals must overlap. Of one cell in a hundred forged, few draws find none of them:
of a share q forged, N draws find at least one with probability 1 - (1 - q)^N.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.failures import MissingError, guarded
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.cells import CellId, cell_id, where_cell
from unlearnbench.submissions.check import Case
from unlearnbench.submissions.claims import claims
from unlearnbench.submissions.findings import Finding, RefusedError
from unlearnbench.submissions.record import CellRecord, GroupRecord, RecordingEvaluator
from unlearnbench.submissions.remeasure import Board
from unlearnbench.submissions.schema import GroupPart
from unlearnbench.suite.messages import one_line

REMEDY = "ask its author how it was made; without an answer the submission is not taken"
Drawn = tuple[GroupPart, CellGroup, frozenset[CellId]]


def draw(digest: str, nonce: str, cells: Sequence[CellId], n: int) -> frozenset[CellId]:
    """Return ``n`` of the cells: those whose sha256 of digest, nonce and name comes first."""

    def place(cell: CellId) -> str:
        return hashlib.sha256(f"{digest}\n{nonce}\n{canonical_json(cell)}".encode()).hexdigest()

    return frozenset(sorted(cells, key=place)[:n])


def rerun(case: Case, n: int, nonce: str) -> tuple[list[Finding], list[str]]:
    """Run ``n`` cells anew, in a store that is thrown away; return what differs, and the lines to tell it by."""
    if n < 1 or not nonce.strip():
        raise UserError("--rerun takes a number from 1 on, and --nonce a text that was announced after submission")
    cells = [cell_id(cell) for cell in case.plan.cells.values()]
    chosen = draw(case.submission.document.digest, nonce, cells, n)
    drawn = [
        (part, bench, wanted)
        for part, bench in case.benches
        if (wanted := chosen.intersection(cell_id(cell) for cell in bench.cells.values()))
    ]
    with TemporaryDirectory(prefix="unlearnbench-rerun-") as folder:
        store = Store(Path(folder))
        benches = tuple(_only(bench, wanted) for _, bench, wanted in drawn)
        Runner(case.instances, store, choose_executor(case.instances)).run(
            replace(case.plan, groups=benches, skipped=())
        )
        with one_thread():
            found = [finding for one in drawn for finding in _compare(case, store, *one)]
    return found, [
        f"run anew, {_how(case, part, bench)}: {', '.join(name)}" for part, bench, own in drawn for name in sorted(own)
    ]


def _only(bench: CellGroup, wanted: frozenset[CellId]) -> CellGroup:
    return replace(bench, cells={key: cell for key, cell in bench.cells.items() if cell_id(cell) in wanted})


def _exact(case: Case, part: GroupPart, bench: CellGroup) -> bool:
    first = bench.target[0]
    same_engine = (part.engine, part.device) == (first.engine, first.device)
    return same_engine and case.submission.document.environment == fingerprint()


def _how(case: Case, part: GroupPart, bench: CellGroup) -> str:
    return "compared to the bit" if _exact(case, part, bench) else "compared by intervals, this is another environment"


def _compare(
    case: Case, store: Store, part: GroupPart, bench: CellGroup, wanted: frozenset[CellId]
) -> Iterator[Finding]:
    try:
        judge = RecordingEvaluator.load(bench, store, case.instances)
        board = case.remeasurer.board(part, bench)
    except MissingError as error:
        yield _not_run(min(wanted), str(error))
        return
    except RefusedError:  # found before
        return
    exact = _exact(case, part, bench)
    if exact and (unlike := _unlike_benches(board.record, judge.bench(bench))):
        yield Finding(where_cell(min(wanted)), f"run anew, its models have other {unlike}", REMEDY)
    for number, cell in enumerate(bench.cells.values()):
        name = cell_id(cell)
        if name not in wanted:
            continue
        again = guarded(partial(judge.record, cell))
        if isinstance(again, Failure):
            yield _not_run(name, again.reason)
        elif unlike := _unlike(case, part, number, cell, board, again, exact):
            yield Finding(where_cell(name), f"run anew, it gets other {unlike}", REMEDY)


def _not_run(name: CellId, reason: str) -> Finding:
    return Finding(where_cell(name), f"cannot be run anew here ({one_line(reason)[:200]})", "mend that and check again")


def _unlike(case: Case, part: GroupPart, number: int, cell: Cell, board: Board, again: CellRecord, exact: bool) -> str:
    """Say in what a cell that was run anew differs from what was submitted; what could not be read was found before."""
    try:
        if exact:
            return _unlike_cells(case.remeasurer.cell(part.cells[number], cell, board), again)
        return _apart(claims(case.submission.document, part, number), again.estimates)
    except (RefusedError, KeyError):
        return ""


def _unlike_benches(told: GroupRecord, again: GroupRecord) -> str:
    names = ("matched", "accuracies", "epsilon")
    return ", ".join(name for name in names if not _equal(getattr(told, name), getattr(again, name)))


def _unlike_cells(told: CellRecord, again: CellRecord) -> str:
    names = ("scores", "baseline", "shadow", "unchanged")
    return ", ".join(name for name in names if not _equal(getattr(told, name), getattr(again, name)))


def _equal(one: object, other: object) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(np.asarray(one), np.asarray(other))


def _apart(told: Mapping[str, Estimate], again: Mapping[str, Estimate]) -> str:
    """Return the metrics whose intervals do not overlap."""
    return ", ".join(
        name
        for name in sorted(told.keys() & again.keys())
        if not name.startswith("seconds-") and _disjoint(told[name], again[name])
    )


def _disjoint(one: Estimate, other: Estimate) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.high < other.low or other.high < one.low
