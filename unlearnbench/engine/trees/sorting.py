"""Sorting the rows of a node by one feature, in linear time, as values are ranks already.

There are two ways to the same result. Counting adds each row to a (rank, class) cell of a dense array and reads the
array in order: best where the feature has few ranks for the rows at hand. Buckets link each row to its rank and mark
the rank in a bitmap, so that an empty rank costs one bit: best where the feature has many ranks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel

ONE_ROW = np.int64(1 << 32)
"""A cell has a number of rows in its upper half and their summed weight in its lower half: one addition adds both."""
WEIGHT = np.int64((1 << 32) - 1)
"""The mask of the lower half of a cell."""

_ONE, _LOW, _TOP = np.uint64(1), np.uint64(63), np.uint64(58)
# The index of a single bit: the top six bits of its product with a de Bruijn sequence (Leiserson et al. 1998).
_SEQUENCE = np.uint64(0x03F79D71B4CB0A89)
_BIT_INDEX = np.zeros(64, dtype=np.int64)
for _i in range(64):
    _BIT_INDEX[((int(_SEQUENCE) << _i) & (2**64 - 1)) >> 58] = _i


class NodeRows(NamedTuple):
    """The rows of a node, as three arrays (n,) that are read side by side."""

    row: NDArray[np.int32]
    """The row in the table."""
    label: NDArray[np.int32]
    """Its class."""
    cell: NDArray[np.int64]
    """``ONE_ROW`` plus its weight."""


class SortedCells(NamedTuple):
    """The rows of a node in ascending order of one feature's rank, as arrays (n,); see ``ONE_ROW``.

    After counting, an entry holds all rows of one rank and class; after buckets, it holds one row.
    """

    code: NDArray[np.int32]
    """The rank."""
    label: NDArray[np.int32]
    """The class."""
    cell: NDArray[np.int64]
    """The number of rows and their weight."""


class Workspace(NamedTuple):
    """Space for sorting, allocated once. Each call leaves ``cells`` and ``marks`` at 0 and ``head`` at -1."""

    cells: NDArray[np.int64]
    """For counting: one cell for each rank and class, the classes of one rank side by side."""
    head: NDArray[np.int32]
    """For buckets: the last row linked to each rank, or -1."""
    next_row: NDArray[np.int32]
    """For buckets: the row linked to the same rank before this one, or -1."""
    marks: NDArray[np.uint64]
    """For buckets: one bit for each rank, set where a row is linked to it."""


@kernel()
def workspace_for(n_rows: int, most_codes: int) -> Workspace:
    """Return space for nodes of up to ``n_rows`` rows and features of up to ``most_codes`` ranks."""
    return Workspace(
        np.zeros(4 * n_rows + 4, dtype=np.int64),
        np.full(most_codes, -1, dtype=np.int32),
        np.empty(n_rows, dtype=np.int32),
        np.zeros((most_codes + 63) // 64, dtype=np.uint64),
    )


@kernel(borrows=True)
def sort_rows(
    codes: NDArray[np.int32],
    n_codes: int,
    n_classes: int,
    rows: NodeRows,
    n: int,
    workspace: Workspace,
    out: SortedCells,
) -> int:
    """Sort the first ``n`` rows by ``codes[row]``; return how many cells (at most ``n``) were written to ``out``."""
    # The dense array is read as a whole, so it must not be much longer than the rows.
    if n_codes * n_classes <= 4 * n:
        return _by_counting(codes, n_codes, n_classes, rows, n, workspace.cells, out)
    return _by_buckets(codes, rows, n, workspace, (n_codes + 63) // 64, out)


@kernel(borrows=True)
def _by_counting(
    codes: NDArray[np.int32],
    n_codes: int,
    n_classes: int,
    rows: NodeRows,
    n: int,
    cells: NDArray[np.int64],
    out: SortedCells,
) -> int:
    # Add each row to its cell.
    for i in range(n):
        cells[codes[rows.row[i]] * n_classes + rows.label[i]] += rows.cell[i]
    # Read the cells in order, leave out empty ones, and set them to 0 for the next call.
    found = 0
    for code in range(n_codes):
        for label in range(n_classes):
            cell = cells[code * n_classes + label]
            if cell:
                cells[code * n_classes + label] = 0
                out.code[found], out.label[found], out.cell[found] = code, label, cell
                found += 1
    return found


@kernel(borrows=True)
def _by_buckets(
    codes: NDArray[np.int32], rows: NodeRows, n: int, workspace: Workspace, n_marks: int, out: SortedCells
) -> int:
    # Put each row at the head of the linked list of its rank, and mark the rank.
    for i in range(n):
        code = codes[rows.row[i]]
        workspace.next_row[i] = workspace.head[code]
        workspace.head[code] = i
        workspace.marks[code >> 6] |= _ONE << (np.uint64(code) & _LOW)
    # Go through the marked ranks in order, 64 ranks a word, and through the list of each; clear what was used.
    found = 0
    for word in range(n_marks):
        marks = workspace.marks[word]
        workspace.marks[word] = 0
        while marks:
            code = 64 * word + lowest_bit(marks)
            marks &= marks - _ONE
            i = workspace.head[code]
            workspace.head[code] = -1
            while i >= 0:
                out.code[found], out.label[found], out.cell[found] = code, rows.label[i], rows.cell[i]
                found += 1
                i = workspace.next_row[i]
    return found


@kernel(borrows=True)
def lowest_bit(word: np.uint64) -> int:
    """Return the index of the lowest bit set in ``word``, which is not 0."""
    return _BIT_INDEX[((word & (~word + _ONE)) * _SEQUENCE) >> _TOP]  # type: ignore[no-any-return]
