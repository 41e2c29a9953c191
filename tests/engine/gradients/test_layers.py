"""Which numbers of a network are the smallest."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.engine.gradients.layers import smallest, smallest_of_rows

numbers = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, float("inf"), float("-inf"), float("nan")])
tables = st.integers(1, 12).flatmap(lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1))


@given(table=tables, share=st.floats(0, 1))
def test_the_smallest_of_each_row_are_the_first_of_a_stable_sort(table: list[list[float]], share: float) -> None:
    rows, count = np.array(table), int(share * len(table[0]))
    chosen = smallest_of_rows(torch.from_numpy(rows), count).numpy()
    finite = np.where(np.isnan(rows), np.inf, rows)
    expected = np.zeros(rows.shape, dtype=np.bool_)
    np.put_along_axis(expected, finite.argsort(axis=1, kind="stable")[:, :count], values=True, axis=1)
    assert np.array_equal(chosen, expected)


def test_several_tensors_are_ranked_together_and_of_equal_numbers_the_first_are_taken() -> None:
    first, second = smallest([torch.tensor([[3.0, 1.0], [2.0, 1.0]]), torch.tensor([1.0, 0.0])], 3)
    assert first.tolist() == [[False, True], [False, True]]
    assert second.tolist() == [False, True]
