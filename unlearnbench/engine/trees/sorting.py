"""Sorting the rows of a node by one feature, in linear time, as values are ranks already.

Two ways to the same result. Counting fills a table of (rank, class) cells and reads it in order: best where the
feature has few ranks for the rows at hand. Buckets hang each row on its rank and mark the rank in a bitmap, so that
empty ranks cost one bit each: best where it has many.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel

ONE_ROW = np.int64(1 << 32)
"""A cell holds a number of rows in its upper and their summed weight in its lower half: one addition moves both."""
WEIGHT = np.int64((1 << 32) - 1)

_ONE, _LOW, _TOP = np.uint64(1), np.uint64(63), np.uint64(58)
# The place of a lone bit: multiplied with a de Bruijn sequence, its top six bits tell (Leiserson et al. 1998).
_SEQUENCE = np.uint64(0x03F79D71B4CB0A89)
_PLACE = np.zeros(64, dtype=np.int64)
for _i in range(64):
    _PLACE[((int(_SEQUENCE) << _i) & (2**64 - 1)) >> 58] = _i


class Rows(NamedTuple):
    """The rows of a node: place in the table, label and cell of each (n,)."""

    place: NDArray[np.int32]
    label: NDArray[np.int32]
    cell: NDArray[np.int64]


class Sorted(NamedTuple):
    """Cells in ascending order of rank: ``code``, ``label`` and ``cell`` (n,)."""

    code: NDArray[np.int32]
    label: NDArray[np.int32]
    cell: NDArray[np.int64]


class Bench(NamedTuple):
    """Space to sort on; between calls ``cells`` and ``marks`` are zero and ``head`` is -1."""

    cells: NDArray[np.int64]
    head: NDArray[np.int32]
    after: NDArray[np.int32]
    marks: NDArray[np.uint64]


@kernel()
def bench_for(n_rows: int, most_codes: int) -> Bench:
    """Return space for nodes of up to ``n_rows`` rows and features of up to ``most_codes`` ranks."""
    return Bench(
        np.zeros(4 * n_rows + 4, dtype=np.int64),
        np.full(most_codes, -1, dtype=np.int32),
        np.empty(n_rows, dtype=np.int32),
        np.zeros((most_codes + 63) // 64, dtype=np.uint64),
    )


@kernel(borrows=True)
def sort_rows(
    codes: NDArray[np.int32], n_codes: int, n_classes: int, rows: Rows, n: int, bench: Bench, out: Sorted
) -> int:
    """Sort the first ``n`` rows by ``codes[place]``; return how many cells (at most ``n``) ``out`` got."""
    if n_codes * n_classes <= 4 * n:
        return _by_counting(codes, n_codes, n_classes, rows, n, bench.cells, out)
    return _by_buckets(codes, rows, n, bench, (n_codes + 63) // 64, out)


@kernel(borrows=True)
def _by_counting(
    codes: NDArray[np.int32],
    n_codes: int,
    n_classes: int,
    rows: Rows,
    n: int,
    cells: NDArray[np.int64],
    out: Sorted,
) -> int:
    for i in range(n):
        cells[codes[rows.place[i]] * n_classes + rows.label[i]] += rows.cell[i]
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
def _by_buckets(codes: NDArray[np.int32], rows: Rows, n: int, bench: Bench, n_marks: int, out: Sorted) -> int:
    for i in range(n):
        code = codes[rows.place[i]]
        bench.after[i] = bench.head[code]
        bench.head[code] = i
        bench.marks[code >> 6] |= _ONE << (np.uint64(code) & _LOW)
    found = 0
    for word in range(n_marks):
        marks = bench.marks[word]
        bench.marks[word] = 0
        while marks:
            code = 64 * word + lowest_bit(marks)
            marks &= marks - _ONE
            i = bench.head[code]
            bench.head[code] = -1
            while i >= 0:
                out.code[found], out.label[found], out.cell[found] = code, rows.label[i], rows.cell[i]
                found += 1
                i = bench.after[i]
    return found


@kernel(borrows=True)
def lowest_bit(word: np.uint64) -> int:
    """Return the place of the lowest bit set in ``word``, which is not 0."""
    return _PLACE[((word & (~word + _ONE)) * _SEQUENCE) >> _TOP]  # type: ignore[no-any-return]
