"""What is wrong with a submission: all of it listed at once, each finding with its cell or file and a remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unlearnbench.core.messages import one_line
from unlearnbench.run.cells import Cell
from unlearnbench.submissions.schema import GroupPart, SkippedPart
from unlearnbench.suite.model import AXES

CellId = tuple[str, ...]
"""The label on each axis, and the seed."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a submission. Texts are of one line and without control characters."""

    where: str
    """The file or the cell."""
    what: str
    remedy: str
    """What would put it right."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}"


class RefusedError(Exception):
    """A submission that cannot be checked any further; ``findings`` say why."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(map(str, self.findings)))


def refuse(where: str, what: str, remedy: str) -> RefusedError:
    """Return the refusal for one finding."""
    return RefusedError([Finding(where, what, remedy)])


def cell_id(cell: Cell) -> CellId:
    """Return the id of a planned cell."""
    return (*cell.labels.values(), str(cell.seed))


def listed_ids(group: GroupPart) -> list[CellId]:
    """Return the ids of the cells that a submission lists in a group."""
    head = (group.dataset, group.model, group.unlearner, group.scenario)
    return [(*head, cell.defense, cell.attack, str(group.seed)) for cell in group.cells]


def skipped_id(cell: SkippedPart) -> CellId:
    """Return the id of a cell that a submission lists as skipped."""
    return (*(getattr(cell, axis) for axis in AXES), str(cell.seed))


def where_cell(name: CellId) -> str:
    """Name a cell in a finding."""
    return f"cell {one_line(', '.join(name))[:300]}"
