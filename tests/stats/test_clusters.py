from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.stats.clusters import COUNT_UP_TO, clusters_of


@given(st.lists(st.integers(-5, 40), min_size=1, max_size=30), st.sampled_from(["int8", "int64", "float64"]))
def test_clusters_are_numbered_in_the_order_of_their_ids_counted_or_sorted(ids: list[int], kind: str) -> None:
    distinct, code = np.unique(ids, return_inverse=True)
    found = clusters_of(np.array(ids, dtype=kind), len(ids))
    np.testing.assert_array_equal(found.code, code)
    assert found.count == len(distinct)


@pytest.mark.parametrize("far", [2 * COUNT_UP_TO - 1, 2 * COUNT_UP_TO, 2**62, 2**63 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_ids_may_lie_as_far_apart_as_they_like(far: int, sign: int) -> None:
    ids = np.array([0, sign * far])
    np.testing.assert_array_equal(clusters_of(ids, 2).code, [0, 1] if sign > 0 else [1, 0])


def test_ids_may_be_words_and_may_be_none_at_all() -> None:
    np.testing.assert_array_equal(clusters_of(["b", "a", "b"], 3).code, [1, 0, 1])
    assert clusters_of([], 0).count == 0


@pytest.mark.parametrize("ids", [[1, 2], [[1], [2], [3]]])
def test_anything_but_one_id_a_row_is_an_error(ids: list[object]) -> None:
    with pytest.raises(ValueError, match="expected 3 ids, one a row"):
        clusters_of(ids, 3)  # type: ignore[arg-type]  # that is what is tried
