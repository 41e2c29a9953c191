from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearnbench.core.seeding import keyed_bits
from unlearnbench.engine import jit

pytestmark = pytest.mark.skipif(not jit.usable(), reason="numba has no wheel for this platform")

from unlearnbench.engine.trees.draws import draw, extend  # noqa: E402
from unlearnbench.engine.trees.sorting import ONE_ROW, NodeRows, SortedCells, Workspace, lowest_bit, sort_rows  # noqa: E402
from unlearnbench.engine.trees.splits import best_split, varies  # noqa: E402 - after the mark, as kernels need numba
from unlearnbench.engine.trees.table import tabulate  # noqa: E402


def empty(n: int) -> SortedCells:
    return SortedCells(np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64))


def workspace(n: int, codes: int) -> Workspace:
    return Workspace(
        np.zeros(4 * n + 4, np.int64),
        np.full(codes, -1, np.int32),
        np.empty(n, np.int32),
        np.zeros((codes + 63) // 64, np.uint64),
    )


def test_a_path_key_is_the_keyed_hash_of_its_parts() -> None:
    key = np.uint64(keyed_bits(7, 3)[()])
    assert extend(np.uint64(extend(key, 1)), 0) == keyed_bits(7, 3, 1, 0)


def test_features_are_drawn_without_replacement_and_evenly() -> None:
    firsts = np.zeros((5, 5))
    for key in keyed_bits(1, np.arange(4000)):
        order = np.arange(5, dtype=np.int32)
        drawn = [draw(order, key, i) for i in range(5)]
        assert sorted(drawn) == [0, 1, 2, 3, 4]
        firsts[np.arange(5), drawn] += 1
    assert np.abs(firsts - 800).max() < 5 * np.sqrt(800)


@given(st.integers(0, 63), st.integers(0, 2**64 - 1))
def test_the_lowest_bit_is_found(index: int, noise: int) -> None:
    word = ((noise << (index + 1)) | (1 << index)) & (2**64 - 1)
    assert lowest_bit(np.uint64(word)) == index


@pytest.mark.parametrize("n_codes", [3, 70, 500])  # counting, then buckets
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_rows_are_sorted_by_rank_and_none_is_lost(n_codes: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    codes = rng.integers(0, n_codes, 50).astype(np.int32)
    row = rng.permutation(50)[:n].astype(np.int32)
    label, weight = rng.integers(0, 3, n).astype(np.int32), rng.integers(1, 4, n)
    out, space = empty(n), workspace(n, n_codes)
    m = sort_rows(codes, n_codes, 3, NodeRows(row, label, ONE_ROW + weight), n, space, out)
    assert (np.diff(out.code[:m]) >= 0).all()
    expected: dict[tuple[int, int], int] = {}
    for key, w in zip(zip(codes[row].tolist(), label.tolist(), strict=True), weight, strict=True):
        expected[key] = expected.get(key, 0) + int(ONE_ROW + w)
    found: dict[tuple[int, int], int] = {}
    for code, c, cell in zip(out.code[:m].tolist(), out.label[:m].tolist(), out.cell[:m].tolist(), strict=True):
        found[code, c] = found.get((code, c), 0) + cell
    assert found == expected
    assert not space.cells.any()
    assert not space.marks.any()
    assert (space.head == -1).all()


def split_by_hand(
    codes: list[int], labels: list[int], weights: list[int], n_classes: int, min_leaf: int
) -> tuple[Fraction, int | None, int]:
    """Every split in exact arithmetic: impurity times weight, before less after; the lowest of the best."""

    def impurity(rows: list[int] | range) -> Fraction:
        shares = [sum(weights[i] for i in rows if labels[i] == c) for c in range(n_classes)]
        return Fraction(sum(shares)) - Fraction(sum(s * s for s in shares), sum(shares))

    everyone = range(len(codes))
    best: tuple[Fraction, int | None, int] = (Fraction(-1), None, 0)
    for low in sorted(set(codes))[:-1]:
        left = [i for i in everyone if codes[i] <= low]
        right = [i for i in everyone if codes[i] > low]
        if min(len(left), len(right)) >= min_leaf:
            gain = impurity(everyone) - impurity(left) - impurity(right)
            if gain > best[0]:
                best = gain, low, len(left)
    return best


@given(st.integers(0, 10**6), st.integers(2, 4), st.integers(1, 4))
@settings(deadline=None)
def test_the_best_split_is_that_of_exact_arithmetic_and_the_lowest_of_equals(
    seed: int, n_classes: int, min_leaf: int
) -> None:
    rng = np.random.default_rng(seed)
    n, n_codes = 12, 6
    codes = np.sort(rng.integers(0, n_codes, n)).astype(np.int32)
    labels, weights = rng.integers(0, n_classes, n).astype(np.int32), rng.integers(1, 4, n)
    total = np.bincount(labels, weights, n_classes).astype(np.int64)
    cells = SortedCells(codes, labels, ONE_ROW + weights)
    values = np.arange(n_codes, dtype=np.float32)
    gain, low, high, rows = best_split(cells, n, values, total, n, min_leaf, np.empty((2, n_classes), np.int64))
    expected, at, on_the_left = split_by_hand(codes.tolist(), labels.tolist(), weights.tolist(), n_classes, min_leaf)
    assert gain == pytest.approx(float(expected), abs=1e-12)
    if at is not None and n_classes == 2:  # with more classes, equal splits of one feature may differ by rounding
        assert (low, rows) == (at, on_the_left)
    if at is not None:
        assert high == codes[codes > low].min()


def test_empty_cells_are_as_if_they_were_not_there() -> None:
    codes, labels = np.array([0, 1, 2, 3], np.int32), np.array([0, 0, 1, 1], np.int32)
    cells = SortedCells(codes, labels, np.array([0, ONE_ROW + 1] * 2))
    values = np.arange(4, dtype=np.float32)
    args = (values, np.array([1, 1]), 2, 1, np.empty((2, 2), np.int64))
    assert best_split(cells, 4, *args) == (1.0, 1, 3, 1)
    assert varies(cells, 4, values)
    assert not varies(SortedCells(cells.code, cells.label, cells.cell * (cells.code == 1)), 4, values)


def test_values_that_scikit_learn_takes_for_equal_are_not_split_apart() -> None:
    values = np.array([0.0, 0.8e-7, 1.6e-7], np.float32)
    cells = SortedCells(np.array([0, 1, 2], np.int32), np.array([0, 1, 1], np.int32), np.array([ONE_ROW + 1] * 3))
    args = (values, np.array([1, 2]), 3, 1, np.empty((2, 2), np.int64))
    assert best_split(cells, 3, *args)[1] == -1
    cells.cell[1] = 0  # the one between leaves, and the others come apart
    args = (values, np.array([1, 1]), 2, 1, np.empty((2, 2), np.int64))
    assert best_split(cells, 3, *args)[1:3] == (0, 2)


def test_a_table_ranks_values_as_float32() -> None:
    x = np.array([[0.5, 1.0], [0.25, 1.0 + 1e-12], [0.5, -3.0]])
    table = tabulate(x, np.array([0, 1, 2]), 3)
    assert table.codes.tolist() == [[1, 0, 1], [1, 1, 0]]
    assert table.values.tolist() == [0.25, 0.5, -3.0, 1.0]
    assert table.first.tolist() == [0, 2, 4]
    assert table.close.tolist() == [False, False]
    assert tabulate(np.array([[0.0], [5e-8]]), np.array([0, 1]), 2).close.tolist() == [True]
