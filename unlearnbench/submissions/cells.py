"""What cells are called in a submission."""

from __future__ import annotations

from unlearnbench.run.cells import Cell
from unlearnbench.submissions.schema import GroupPart
from unlearnbench.suite.messages import one_line

CellId = tuple[str, ...]
"""The label on each axis, and the seed."""


def cell_id(cell: Cell) -> CellId:
    """Return what a cell is called in a submission: the label on each axis, and the seed."""
    return (*cell.labels.values(), str(cell.seed))


def told_ids(bench: GroupPart) -> list[CellId]:
    """Return what the cells of a bench are called."""
    head = (bench.dataset, bench.model, bench.unlearner, bench.scenario)
    return [(*head, cell.defense, cell.attack, str(bench.seed)) for cell in bench.cells]


def where_cell(name: CellId) -> str:
    """Name a cell in a finding."""
    return f"cell {one_line(', '.join(name))[:300]}"
