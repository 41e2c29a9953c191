from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from unlearnbench.builtin.attacks import features
from unlearnbench.builtin.attacks.features import SortBy

BY: tuple[SortBy, ...] = ("original", "unlearned", "independent")


@st.composite
def posterior_pairs(draw: st.DrawFn, distinct: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two (n, C) arrays of probabilities; ``distinct`` gives the classes of a row different posteriors."""
    n, n_classes = draw(st.integers(1, 6)), draw(st.integers(2, 7))
    if distinct:
        ranks = st.permutations(range(1, n_classes + 1))
        weights = [np.array([draw(ranks) for _ in range(n)], dtype=np.float64) for _ in range(2)]
    else:
        weights = [draw(arrays(np.float64, (n, n_classes), elements=st.floats(0, 1))) + 1e-3 for _ in range(2)]
    before, after = (w / w.sum(axis=1, keepdims=True) for w in weights)
    return before, after


def ascending(row: list[np.float64], by: list[np.float64]) -> list[np.float64]:
    """Reorder one row in plain Python; Python's sort keeps ties in place."""
    return [row[c] for c in sorted(range(len(row)), key=lambda c: by[c])]


def sorted_row(before: list[np.float64], after: list[np.float64], by: str) -> tuple[list[np.float64], list[np.float64]]:
    if by == "independent":
        return ascending(before, before), ascending(after, after)
    key = before if by == "original" else after
    return ascending(before, key), ascending(after, key)


@given(posterior_pairs())
def test_direct_features_equal_a_loop_over_rows_and_classes(
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    before, after = pair
    concat = [list(b) + list(a) for b, a in zip(before, after, strict=True)]
    diff = [[x - y for x, y in zip(b, a, strict=True)] for b, a in zip(before, after, strict=True)]
    assert np.array_equal(features.direct_concat(before, after), concat)
    assert np.array_equal(features.direct_diff(before, after), diff)


@pytest.mark.parametrize("by", BY)
@given(pair=posterior_pairs())
def test_sorted_features_equal_a_loop_over_rows_and_classes(
    pair: tuple[NDArray[np.float64], NDArray[np.float64]], by: SortBy
) -> None:
    before, after = pair
    rows = [sorted_row(list(b), list(a), by) for b, a in zip(before, after, strict=True)]
    assert np.array_equal(features.sorted_concat(before, after, by), [b + a for b, a in rows])
    assert np.array_equal(
        features.sorted_diff(before, after, by), [[x - y for x, y in zip(b, a, strict=True)] for b, a in rows]
    )


@given(posterior_pairs())
def test_euclidean_equals_a_loop_and_is_never_negative(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    before, after = pair
    distance = features.euclidean(before, after)
    assert distance.shape == (len(before), 1)
    assert (distance >= 0).all()
    assert distance[:, 0] == pytest.approx([math.dist(b, a) for b, a in zip(before, after, strict=True)], abs=1e-15)


def test_a_worked_example_of_every_order() -> None:
    before, after = np.array([[0.5, 0.2, 0.3]]), np.array([[0.1, 0.6, 0.3]])
    assert features.sorted_concat(before, after, "original").tolist() == [[0.2, 0.3, 0.5, 0.6, 0.3, 0.1]]
    assert features.sorted_concat(before, after, "unlearned").tolist() == [[0.5, 0.3, 0.2, 0.1, 0.3, 0.6]]
    assert features.sorted_concat(before, after, "independent").tolist() == [[0.2, 0.3, 0.5, 0.1, 0.3, 0.6]]


def test_tied_classes_keep_their_order() -> None:
    before, after = np.full((1, 4), 0.25), np.array([[0.4, 0.1, 0.3, 0.2]])
    assert features.sorted_concat(before, after, "original").tolist() == [[0.25] * 4 + [0.4, 0.1, 0.3, 0.2]]


@pytest.mark.parametrize("by", BY)
@given(data=st.data())
def test_sorted_features_do_not_depend_on_how_classes_are_numbered(data: st.DataObject, by: SortBy) -> None:
    before, after = data.draw(posterior_pairs(distinct=True))
    relabel = data.draw(st.permutations(range(before.shape[1])))
    for feature in (features.sorted_concat, features.sorted_diff):
        assert np.array_equal(feature(before[:, relabel], after[:, relabel], by), feature(before, after, by))


@given(posterior_pairs())
def test_what_did_not_change_has_no_difference(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    before, _ = pair
    assert not features.direct_diff(before, before).any()
    assert not features.euclidean(before, before).any()
    assert not any(features.sorted_diff(before, before, by).any() for by in BY)
