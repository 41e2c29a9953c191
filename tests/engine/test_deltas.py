from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet
from unlearnbench.engine.deltas import KEPT, MASKED, REMOVED, Base, Bases, group_by_base

RECORDS = Records("r", np.arange(40.0)[:, None], np.arange(40) % 2, 2, Provenance("", ""))


def training_set(*ids: int) -> TrainingSet:
    return TrainingSet.of(RECORDS, ids)


def forget(*ids: int) -> Step:
    return Step(np.array(ids))


@given(st.permutations(range(40)), st.sets(st.integers(0, 19)), st.sampled_from(["slot", "compact"]))
def test_the_base_without_the_rows_removed_holds_what_the_set_learns_from(
    ids: list[int], rows: set[int], order: Order
) -> None:
    base = training_set(*ids[:20])
    data = base.after(forget(*(ids[row] for row in sorted(rows))), order)
    removed = Base(base).removed(data)
    assert removed is not None
    assert removed.tolist() == sorted(rows)
    np.testing.assert_array_equal(np.delete(base.x, removed, axis=0), data.x)


def test_rows_are_counted_among_those_that_the_base_learns_from() -> None:
    base = training_set(7, 5, 3, 1).after(forget(5), "slot").select(np.ones(4, dtype=bool))
    removed = Base(base).removed(base.after(forget(3), "slot"))
    assert removed is not None
    assert removed.tolist() == [1]


@pytest.mark.parametrize("ids", [(3, 9), (3, 3), (9,)])
def test_a_set_with_other_records_or_one_record_twice_is_not_the_base_less_some(ids: tuple[int, ...]) -> None:
    assert Base(training_set(1, 2, 3)).removed(training_set(*ids)) is None


def test_rows_removed_do_not_depend_on_the_order_of_the_set_but_row_status_does() -> None:
    base, data = Base(training_set(1, 2, 3)), training_set(3, 1)
    removed = base.removed(data)
    assert removed is not None
    assert removed.tolist() == [1]
    assert base.row_status(data) is None


def test_a_row_is_removed_masked_or_kept() -> None:
    base = training_set(4, 5, 6, 7)
    data = base.after(forget(4), "compact").after(forget(6), "slot")
    status = Base(base).row_status(data)
    assert status is not None
    assert status.tolist() == [REMOVED, KEPT, MASKED, KEPT]


@pytest.mark.parametrize("ids", [(3, 2), (2, 2), (2, 20)])
def test_a_set_with_added_repeated_or_rearranged_records_has_no_row_status(ids: tuple[int, int]) -> None:
    assert Base(TrainingSet.of(RECORDS, np.arange(10))).row_status(training_set(*ids)) is None


def test_equal_training_sets_have_one_base() -> None:
    bases = Bases()
    assert bases.of(training_set(1, 2)) is bases.of(training_set(1, 2))
    assert bases.of(training_set(1, 2)) is not bases.of(training_set(2, 1))


def test_sets_are_grouped_by_their_original_and_foreign_ones_are_their_own_base() -> None:
    first, second = training_set(1, 2, 3), training_set(4, 5, 6)
    added = first.after(Step(np.array([1]), np.array([9])))
    groups = group_by_base([first, second, first.after(forget(2)), added, second.after(forget(4, 6))])
    assert [group.indices for group in groups] == [[0, 2], [1, 4], [3]]
    assert [[rows.tolist() for rows in group.removed] for group in groups] == [[[], [1]], [[], [0, 2]], [[]]]
    assert [group.base.data for group in groups] == [first, second, added]


def test_sets_of_different_labels_share_a_base_but_no_group() -> None:
    data = training_set(1, 2, 3)
    one, other = group_by_base([data, data.after(forget(1))], labels=["a", "b"])
    assert one.base is other.base


def test_a_base_that_is_not_accepted_is_not_used() -> None:
    data = training_set(1, 2, 3)
    after = data.after(forget(2))
    groups = group_by_base([data, after], accepts=lambda base, removed: len(removed) == 0)
    assert [group.base.data for group in groups] == [data, after]
