"""The best split of a node's rows, sorted by one feature.

Cells may be empty: when rows are removed from sorted cells, their cells stay.

The gain of a split is the node's Gini impurity times its weight, less that of the two sides. With ``l_c`` and ``N_c``
the weight of class c on the left and in the node, ``n_left`` and ``n_right`` the weights of the sides, it is

    sum_c (l_c N - N_c n_left)^2 / (N n_left n_right),        N = sum_c N_c.

The bracket is a whole number, so equal gains are equal floating-point numbers and ties are found. Among equal gains the
lowest split wins.

When rows of summed weight W are removed, no gain changes by more than W, because ``sum_c l_c^2 / n`` of each side has
slopes ``2 p - sum p^2`` in -1..1. A deletion can therefore skip most features (``growth._lower_bound``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.engine.jit import kernel
from unlearnbench.engine.trees.sorting import WEIGHT, SortedCells
from unlearnbench.engine.trees.table import SAME

Split = tuple[float, int, int, int]
"""Gain (-1 where no split is allowed), the ranks left and right of it, and the number of rows on the left."""

_ROWS = np.int64(32)  # the shift that leaves a cell's number of rows


@kernel(borrows=True)
def best_split(
    cells: SortedCells,
    n: int,
    values: NDArray[np.float32],
    total: NDArray[np.int64],
    n_rows: int,
    min_leaf: int,
    left: NDArray[np.int64],
) -> Split:
    """Return the best split of ``n`` sorted cells that leaves ``min_leaf`` rows on each side.

    ``values`` are those of the feature, by rank. ``total`` (C,) are the class weights in the node, ``n_rows`` its
    rows. ``left`` (2, C) is working space.
    """
    if len(total) == 2:
        return _of_two(cells, n, values, total[0] + total[1], total[1], n_rows, min_leaf)
    return _of_many(cells, n, values, total, n_rows, min_leaf, left)


@kernel(borrows=True)
def _of_two(
    cells: SortedCells, n: int, values: NDArray[np.float32], weight: int, ones: int, n_rows: int, min_leaf: int
) -> Split:
    """Return the best split of two classes, whose brackets differ in sign only: one is enough.

    ``weight`` is that of the node, ``ones`` that of its class 1.
    """
    best, low, high, best_rows, lead, share = -1.0, -1, -1, 0, 0.0, 0
    w, w1, rows, last = 0, 0, 0, -1  # on the left: weight, that of class 1, rows, the highest rank
    for i in range(n):
        code, cell = cells.code[i], cells.cell[i]
        if cell == 0:
            continue
        # A new rank begins: try the split between the last rank and this one.
        if code != last:
            if rows >= min_leaf and n_rows - rows >= min_leaf and values[code] > values[last] + SAME:
                bracket = np.float64(w1 * weight - w * ones)
                score = bracket * bracket / (np.float64(w) * np.float64(weight - w))
                if score > best:
                    best, low, high, best_rows, lead, share = score, last, code, rows, bracket, w
            last = code
        # Move the cell to the left side.
        w += cell & WEIGHT
        w1 += (cell & WEIGHT) * cells.label[i]
        rows += cell >> _ROWS
    gain = -1.0 if low < 0 else _gain(2 * lead * lead, share, weight)
    return gain, low, high, best_rows


@kernel(borrows=True)
def _of_many(
    cells: SortedCells,
    n: int,
    values: NDArray[np.float32],
    total: NDArray[np.int64],
    n_rows: int,
    min_leaf: int,
    left: NDArray[np.int64],
) -> Split:
    """Return the best split of any number of classes.

    Splits are compared by the sum of squared class weights over the weight, of both sides. These sums of squares are
    updated in constant time for each cell; the exact gain is computed once, from the class weights in ``left[1]``.
    """
    best, low, high, best_rows = -1.0, -1, -1, 0
    w, rows, weight, squares_left, squares_right, last = 0, 0, 0, 0, 0, -1
    for c in range(len(total)):
        weight += total[c]
        squares_right += total[c] * total[c]
        left[0, c] = 0
    for i in range(n):
        code, cell = cells.code[i], cells.cell[i]
        if cell == 0:
            continue
        # A new rank begins: try the split between the last rank and this one.
        if code != last:
            if rows >= min_leaf and n_rows - rows >= min_leaf and values[code] > values[last] + SAME:
                score = np.float64(squares_left) / w + np.float64(squares_right) / (weight - w)
                if score > best:
                    best, low, high, best_rows = score, last, code, rows
                    for c in range(len(total)):
                        left[1, c] = left[0, c]
            last = code
        # Move the cell to the left side: (l + s)^2 - l^2 = s (2 l + s), and likewise on the right.
        c, step = cells.label[i], cell & WEIGHT
        squares_left += step * (2 * left[0, c] + step)
        squares_right -= step * (2 * (total[c] - left[0, c]) - step)
        left[0, c] += step
        w += step
        rows += cell >> _ROWS
    gain = -1.0 if low < 0 else gain_of(left[1], total)
    return gain, low, high, best_rows


@kernel(borrows=True)
def gain_of(left: NDArray[np.int64], total: NDArray[np.int64]) -> float:
    """Return the gain of the split with class weights ``left`` (C,) on one side and ``total`` (C,) in the node."""
    w, weight, lead = left.sum(), total.sum(), 0.0
    for c in range(len(total)):
        bracket = np.float64(left[c] * weight - w * total[c])
        lead += bracket * bracket
    return _gain(lead, w, weight)


@kernel(borrows=True)
def _gain(lead: float, left: int, weight: int) -> float:
    """Return the gain from the sum of squared brackets and the weights on the left and in the node."""
    # One quotient of products that are exact up to 2**53, so that equal gains of different nodes come out equal too.
    return lead / (np.float64(left) * np.float64(weight - left) * np.float64(weight))


@kernel(borrows=True)
def varies(cells: SortedCells, n: int, values: NDArray[np.float32]) -> bool:
    """Return whether the feature takes more than one value in the node, which is not empty."""
    first, last = 0, n - 1
    while cells.cell[first] == 0:
        first += 1
    while cells.cell[last] == 0:
        last -= 1
    return bool(values[cells.code[last]] > values[cells.code[first]] + SAME)
