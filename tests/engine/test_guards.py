"""What is guarded once for all deletions of an original, and what each deletion may read besides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.gradients.case import made_up
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.access import Access, AccessError
from unlearnbench.engine.guards import guard_deletions
from unlearnbench.engine.unlearners import Deletion, FunctionState

RECORDS = made_up()
ORIGINAL = Original(DecisionTree(), TrainingSet.of(RECORDS, range(40)), SeedPath(0), validation_ids=np.arange(80, 84))
BOTH = Access("method", ("forget-set", "retain-set", "labels"))
SETS = ("forget-set", "retain-set", "validation-set")


def deletion_of(forget: list[int], add: list[int]) -> Deletion:
    state = FunctionState(ORIGINAL.fitted, ORIGINAL.data, ORIGINAL, None)
    return state.deletion(Step(np.array(forget, np.int64), np.array(add, np.int64)), SeedPath(1))


def readable(deletion: Deletion) -> set[int]:
    """Return the records of the whole data set that can be read by their ids."""

    def can_be_read(record: int) -> bool:
        try:
            deletion.original.data.records.x[[record]]
        except AccessError:
            return False
        return True

    return set(filter(can_be_read, range(len(RECORDS))))


def test_deletions_that_add_nothing_share_what_is_guarded() -> None:
    one, other = guard_deletions([deletion_of([1], []), deletion_of([2, 3], [])], BOTH)
    assert one.forget.records is other.retain.records is one.original.data.records
    assert one.retain.original is one.original.data


def test_an_added_record_is_read_by_its_own_deletion_only() -> None:
    adds, plain, others = guard_deletions([deletion_of([1], [50]), deletion_of([2], []), deletion_of([3], [51])], BOTH)
    assert np.array_equal(adds.retain.x, RECORDS.x[[0, *range(2, 40), 50]])
    for each in (plain, others):
        with pytest.raises(AccessError, match="records of sets that its `sees` does not declare"):
            each.forget.records.x[[50]]


@given(
    steps=st.lists(
        st.tuples(st.lists(st.integers(0, 39), max_size=4), st.lists(st.integers(40, 79), max_size=3)), max_size=4
    ),
    sees=st.sets(st.sampled_from(SETS)),
)
def test_what_can_be_read_is_what_is_declared_alone_and_among_others(
    steps: list[tuple[list[int], list[int]]], sees: set[str]
) -> None:
    """To read a record that is forgotten and was retained, a method declares both sets."""
    deletions = [deletion_of(*step) for step in steps]
    for deletion, guarded in zip(deletions, guard_deletions(deletions, Access("method", tuple(sees))), strict=True):
        sets = {"forget-set": deletion.forget, "retain-set": deletion.retain, "validation-set": ORIGINAL.validation}
        wanted = {record for name in sees for record in sets[name].kept_ids.tolist()}
        if {"forget-set", "retain-set"} <= sees:
            wanted |= set(range(40))
        assert readable(guarded) == wanted
        assert np.array_equal(guarded.fitted.log_posteriors(RECORDS.x), ORIGINAL.fitted.log_posteriors(RECORDS.x))
