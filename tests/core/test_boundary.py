"""Distances to the decision boundary are chosen row by row, and stay as they are."""

from __future__ import annotations

import numpy as np
import pytest

from unlearnbench.core.boundary import BoundaryDistances

FOUND = BoundaryDistances(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]))


@pytest.mark.parametrize("rows", [np.array([2, 0]), np.array([True, False, True])[::-1]])
def test_rows_are_chosen_from_both(rows: np.ndarray) -> None:
    taken = FOUND.take(rows)
    assert np.array_equal(taken.before, np.array([1.0, 2.0, 3.0])[rows])
    assert np.array_equal(taken.after, np.array([4.0, 5.0, 6.0])[rows])


def test_what_is_not_there_is_not_there_of_chosen_rows() -> None:
    taken = BoundaryDistances(np.empty(0), FOUND.after).take(np.array([1]))
    assert (taken.before.tolist(), taken.after.tolist()) == ([], [5.0])


def test_distances_cannot_be_written_into() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FOUND.take(np.array([1])).after[:] = 1
