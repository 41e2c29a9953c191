"""Whether an entry was measured as its board was: the controls that it ran again must be those of the reference entry.

They are the same models on the same records, drawn by the same seeds. In the same environment they are equal to the
bit; elsewhere their metrics agree as those of a re-run do. Else the entry cannot be paired with others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from unlearnbench.core.messages import counted
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.submissions.agreement import Comparison
from unlearnbench.submissions.claims import claims
from unlearnbench.submissions.context import CheckContext
from unlearnbench.submissions.findings import CellId, Finding, RefusedError, cell_id, listed_ids, where_cell
from unlearnbench.submissions.reading import Submission
from unlearnbench.submissions.reference import reference_entry
from unlearnbench.submissions.remeasure import DerivedGame
from unlearnbench.submissions.schema import CellPart, GroupPart
from unlearnbench.submissions.settings import claims_of

REMEDY: Final = "run it in the environment of the board, or ask a maintainer to run it (an evaluation request)"
NO_REFERENCE: Final = "its board has no reference entry of this suite: whether its controls agree was not checked"

Cells = Mapping[CellId, tuple[GroupPart, int]]


def comparable(context: CheckContext) -> tuple[list[Finding], list[str]]:
    """Compare the controls of an entry with those of its board; return what differs, and what could not be compared."""
    if context.entry is None:
        return [], []
    try:
        own = context.submission
        reference = reference_entry(own.folder.parent, own.document.suite_sha256, own.elsewhere)
    except RefusedError as error:
        return list(error.findings), []
    if reference is None:
        return [], [NO_REFERENCE]
    pairing = _Pairing(context, reference)
    found = [finding for pair in context.groups for finding in pairing.findings(*pair)]
    return found, [f"{counted(pairing.compared, 'control')} compared with those of {reference.folder.name}"]


@dataclass
class _Pairing:
    """Compares cells of an entry with those of the reference entry."""

    context: CheckContext
    reference: Submission
    compared: int = 0

    def __post_init__(self) -> None:
        groups = self.reference.document.groups
        self._cells: Cells = {name: (part, n) for part in groups for n, name in enumerate(listed_ids(part))}

    def findings(self, part: GroupPart, group: CellGroup) -> Iterator[Finding]:
        """Find the controls of a group that are not those of the board."""
        controls = [
            (number, cell)
            for number, cell in enumerate(group.cells.values())
            if not self.context.owns(cell_id(cell)) and cell_id(cell) in self._cells
        ]
        if not controls:
            return
        try:
            derived = self.context.remeasurer.derive(part, group)
            found = [(cell, self._differing(part, number, cell, derived)) for number, cell in controls]
        except (RefusedError, KeyError):  # told by the check of either
            return
        self.compared += len(found)
        for cell, differing in found:
            if differing:
                what = f"not comparable: this control has other {', '.join(differing)} than on the board"
                yield Finding(where_cell(cell_id(cell)), what, REMEDY)

    def _differing(self, part: GroupPart, number: int, cell: Cell, derived: DerivedGame) -> list[str]:
        """Name what differs between a control and the same cell of the board."""
        document, board = self.context.submission.document, self.reference.document
        other, other_number = self._cells[cell_id(cell)]
        own = self.context.remeasurer.cell(part.cells[number], cell, derived)
        comparison = Comparison(
            claims_of(part) == claims_of(other),
            document.environment == board.environment,
            cell.unlearner.name not in self.context.plan.tests.deleting_nothing,
        )
        theirs = self._read(other.cells[other_number], own)
        return comparison.cell(theirs, own, claims(board, other, other_number), claims(document, part, number))

    def _read(self, part: CellPart, like: CellScores) -> CellScores:
        """Read the arrays of a cell of the board, which have the types and shapes of the entry's own."""
        read = self.reference.arrays.read
        numbers = {name: getattr(part, name) for name in vars(like)}
        return CellScores(**{
            name: getattr(like, name) if number is None else read(number, array.dtype.type, array.shape)
            for (name, number), array in zip(numbers.items(), vars(like).values(), strict=True)
        })  # fmt: skip
