"""The one matrix product that forward pass, backward pass and gradient are made of.

C is computed in tiles of 4 rows and 32 columns, whose 8 vector sums stay in registers. A tile reads two vectors of B
and four numbers of A for each term, so most instructions are multiply-adds. Every element of C is one sum in the order
of the terms: it does not depend on the other columns, nor on the width of the processor's registers.
"""

from __future__ import annotations

import numpy as np

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.mlp.simd import LANES, ROWS, Floats, broadcast, fma, load, splat, store


@kernel(borrows=True)
def product(
    a: Floats,
    a_at: int,
    row: int,
    step: int,
    terms: int,
    b: Floats,
    b_at: int,
    c: Floats,
    c_at: int,
    stride: int,
    rows: int,
    columns: int,
) -> None:
    """Set C (rows, columns) to A B: C[i, j] = sum over t of A[i, t] B[t, j], in the order of t.

    A[i, t] lies at ``a_at + i * row + t * step``, so A may be transposed. Rows of B (terms, columns) begin at ``b_at``,
    rows of C at ``c_at``, both ``stride`` apart. ``rows`` is a multiple of ``ROWS``, ``columns`` of ``LANES``.
    """
    # The loop over columns is outside: the strip of B that all rows use then stays in the first-level cache.
    j = 0
    while j + 2 * LANES <= columns:
        for i in range(0, rows, ROWS):
            _tile_of_two(a, a_at + i * row, row, step, terms, b, b_at + j, c, c_at + i * stride + j, stride)
        j += 2 * LANES
    # One vector of columns may be left.
    if j < columns:
        for i in range(0, rows, ROWS):
            _tile_of_one(a, a_at + i * row, row, step, terms, b, b_at + j, c, c_at + i * stride + j, stride)


@kernel(borrows=True)
def _tile_of_two(
    a: Floats, p: int, row: int, step: int, terms: int, b: Floats, q: int, c: Floats, to: int, stride: int
) -> None:
    """Compute 4 rows and two vectors of columns of C, from ``to`` on; ``p`` and ``q`` are where A and B begin."""
    s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = splat(np.float32(0))
    for _ in range(terms):
        x0, x1 = load(b, q), load(b, q + LANES)
        y = broadcast(a, p)
        s00, s01 = fma(y, x0, s00), fma(y, x1, s01)
        y = broadcast(a, p + row)
        s10, s11 = fma(y, x0, s10), fma(y, x1, s11)
        y = broadcast(a, p + 2 * row)
        s20, s21 = fma(y, x0, s20), fma(y, x1, s21)
        y = broadcast(a, p + 3 * row)
        s30, s31 = fma(y, x0, s30), fma(y, x1, s31)
        p += step
        q += stride
    store(c, to, s00)
    store(c, to + LANES, s01)
    store(c, to + stride, s10)
    store(c, to + stride + LANES, s11)
    store(c, to + 2 * stride, s20)
    store(c, to + 2 * stride + LANES, s21)
    store(c, to + 3 * stride, s30)
    store(c, to + 3 * stride + LANES, s31)


@kernel(borrows=True)
def _tile_of_one(
    a: Floats, p: int, row: int, step: int, terms: int, b: Floats, q: int, c: Floats, to: int, stride: int
) -> None:
    """Compute 4 rows and one vector of columns of C."""
    s0 = s1 = s2 = s3 = splat(np.float32(0))
    for _ in range(terms):
        x = load(b, q)
        s0 = fma(broadcast(a, p), x, s0)
        s1 = fma(broadcast(a, p + row), x, s1)
        s2 = fma(broadcast(a, p + 2 * row), x, s2)
        s3 = fma(broadcast(a, p + 3 * row), x, s3)
        p += step
        q += stride
    store(c, to, s0)
    store(c, to + stride, s1)
    store(c, to + 2 * stride, s2)
    store(c, to + 3 * stride, s3)


@kernel(borrows=True)
def transpose(a: Floats, a_at: int, stride: int, rows: int, columns: int, b: Floats, b_at: int) -> None:
    """Set B (columns, rows), row-major, to the transpose of A, whose rows begin ``stride`` apart.

    ``rows`` is a multiple of ``LANES``.
    """
    for i in range(0, rows, LANES):  # writes one cache line of B at a time
        for j in range(columns):
            for k in range(LANES):
                b[b_at + j * rows + i + k] = a[a_at + (i + k) * stride + j]
