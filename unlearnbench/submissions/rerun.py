"""Runs some cells of a submission again and compares. Which ones, nobody can know before the nonce is announced.

Cells run with the engine and the device that the submission claims, or on the CPU where that device is not here. What
must agree then says :mod:`unlearnbench.submissions.agreement`. If a share q of the cells is forged, N drawn cells
contain at least one of them with probability 1 - (1 - q)^N: where few are forged, few draws find none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.messages import one_line
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cell_results import CellResult, get_result
from unlearnbench.run.cells import Cell, CellGroup, Plan
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.executors import choose_executor
from unlearnbench.run.failures import FailedElsewhereError
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.submissions.agreement import Comparison
from unlearnbench.submissions.claims import claims
from unlearnbench.submissions.context import CheckContext
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, cell_id, where_cell
from unlearnbench.submissions.group_arrays import read_group
from unlearnbench.submissions.remeasure import DerivedGame
from unlearnbench.submissions.schema import Document, GroupPart

RUN_AGAIN: Final = "run again"
"""How the line of each cell that was run again begins."""
SLACK: Final = 3
LEAST_SECONDS: Final = 0.1
"""Of a cell that is run again."""
REMEDY = "ask its author how it was made; without an answer the submission is not accepted"


def draw(digest: str, nonce: str, cells: Sequence[CellId], n: int) -> frozenset[CellId]:
    """Return ``n`` of the cells: those whose sha256 of digest, nonce and name comes first."""

    def order(cell: CellId) -> str:
        return hashlib.sha256(f"{digest}\n{nonce}\n{canonical_json(cell)}".encode()).hexdigest()

    return frozenset(sorted(cells, key=order)[:n])


def drawn_cells(context: CheckContext, n: int, nonce: str) -> frozenset[CellId]:
    """Return ``n`` cells of an entry: one in four a control, the first never, so that its own cells are always touched.

    Where there are too few of one kind, more of the other are drawn.
    """
    cells = [cell_id(cell) for cell in context.plan.cells.values()]
    digest, own = context.submission.document.digest, [cell for cell in cells if context.owns(cell)]
    controls = [cell for cell in cells if not context.owns(cell)]
    of_controls = min(len(controls), max(n // 4, n - len(own)))
    return draw(digest, nonce, own, n - of_controls) | draw(digest, nonce, controls, of_controls)


@dataclass(frozen=True)
class Again:
    """How many cells are run again, or for how long, and what chooses them; UserError where that is not said well."""

    nonce: str
    """A text that was announced after submission."""
    cells: int | None = None
    minutes: float | None = None
    workers: int = 1

    @classmethod
    def asked(cls, nonce: str | None, cells: int | None, minutes: float | None, workers: int) -> Again | None:
        """Return what options ask for; None where they ask for nothing."""
        if cells is not None and minutes is not None:
            raise UserError("give --rerun or --rerun-minutes: how many cells, or how long they may take")
        if (cells is None and minutes is None) != (nonce is None):
            raise UserError(
                "give --rerun or --rerun-minutes, and --nonce together: how many cells, and the text that chooses them"
            )
        return None if nonce is None else cls(nonce, cells, minutes, workers)

    def __post_init__(self) -> None:
        if (self.cells is not None and self.cells < 1) or not self.nonce.strip():
            raise UserError("--rerun takes a number from 1 on, and --nonce a text that was announced after submission")

    def count(self, document: Document) -> int:
        """Return how many cells of an entry are run again, at least one.

        Minutes become cells by the seconds that the entry says its models took: those of a group are trained again for
        each cell, unless two drawn cells share them. Twice as long is left for attacks and for a slower machine.
        """
        if self.minutes is None:
            return self.cells or 1
        seconds = (document.cost.train_seconds + document.cost.unlearn_seconds) / max(len(document.groups), 1)
        return max(1, int(self.minutes * 60 * self.workers / max(SLACK * seconds, LEAST_SECONDS)))


def rerun(context: CheckContext, again: Again) -> tuple[list[Finding], list[str]]:
    """Run cells again, in a temporary store; return what differs, and a line for each cell."""
    chosen = drawn_cells(context, again.count(context.submission.document), again.nonce)
    plan = context.plan_here()
    drawn = list(_drawn(context, plan, chosen))
    with TemporaryDirectory(prefix="unlearnbench-rerun-") as folder:
        store = Store(Path(folder))
        runner = Runner(context.instances, store, choose_executor(context.instances, workers=again.workers))
        runner.run(replace(plan, groups=tuple(one.group for one in drawn), skipped=()))
        with one_thread():
            found = [finding for one in drawn for finding in _Rerun(context, store, one).findings()]
    return found, [
        f"{RUN_AGAIN}, {one.comparison}: {', '.join(name)}"
        for one in drawn
        for name in sorted(map(cell_id, one.group.cells.values()))
    ]


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawn cells of one group."""

    part: GroupPart
    claimed: CellGroup
    """The group as the submission claims to have run it, with all its cells."""
    group: CellGroup
    """The group as it is run here, with the drawn cells only."""
    comparison: Comparison


def _drawn(context: CheckContext, plan: Plan, chosen: frozenset[CellId]) -> Iterator[Drawn]:
    here = {cell_id(cell): group for group in plan.groups for cell in group.cells.values()}
    same_environment = context.submission.document.environment == fingerprint()
    for part, claimed in context.groups:
        group = here[cell_id(next(iter(claimed.cells.values())))]
        wanted = {key: cell for key, cell in group.cells.items() if cell_id(cell) in chosen}
        if wanted:
            same_setting = list(claimed.cells) == list(group.cells)
            comparison = Comparison(same_setting, same_environment, _deletes(context, group))
            yield Drawn(part, claimed, replace(group, cells=wanted), comparison)


def _deletes(context: CheckContext, group: CellGroup) -> bool:
    return group.target[0].unlearner.name not in context.plan.tests.deleting_nothing


@dataclass(frozen=True, eq=False)
class _Rerun:
    """Compares the drawn cells of one group with those that the store holds now."""

    context: CheckContext
    store: Store
    drawn: Drawn

    def findings(self) -> Iterator[Finding]:
        """Find what differs."""
        group, first = self.drawn.group, cell_id(next(iter(self.drawn.group.cells.values())))
        try:
            shared = read_group(group, self.store)
            derived = self.context.remeasurer.derive(self.drawn.part, self.drawn.claimed)
        except FailedElsewhereError as error:
            yield _not_run(first, str(error))
            return
        except RefusedError:  # reported by the check
            return
        if differing := self.drawn.comparison.models(derived.arrays, shared, len(group.target)):
            yield _differs(first, f"its models have other {', '.join(differing)}")
        for key, cell in group.cells.items():
            yield from self._cell(key, cell, derived)

    def _cell(self, key: str, cell: Cell, derived: DerivedGame) -> Iterator[Finding]:
        result = get_result(self.store, key)
        if result is None:
            failure = self.store.failure("cell", key)
            yield _not_run(cell_id(cell), failure.reason if failure else "it has no result")
        elif differing := self._differing(cell, derived, result):
            yield _differs(cell_id(cell), f"it has other {', '.join(differing)}")

    def _differing(self, cell: Cell, derived: DerivedGame, result: CellResult) -> Sequence[str]:
        """Name what differs in a cell that was run again; what cannot be read was reported by the check."""
        part = self.drawn.part
        number = [cell_id(one) for one in self.drawn.claimed.cells.values()].index(cell_id(cell))
        try:
            submitted = self.context.remeasurer.cell(part.cells[number], cell, derived)
            claimed = claims(self.context.submission.document, part, number)
        except (RefusedError, KeyError):
            return ()
        return self.drawn.comparison.cell(submitted, result.scores, claimed, result.estimates)


def _differs(name: CellId, what: str) -> Finding:
    return Finding(where_cell(name), f"{RUN_AGAIN}, {what}", REMEDY)


def _not_run(name: CellId, reason: str) -> Finding:
    return Finding(where_cell(name), f"cannot be run here ({one_line(reason)[:200]})", "fix that and check again")
