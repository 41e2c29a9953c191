from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine.batches import batches

RECORDS = Records("r", np.arange(200.0)[:, None], np.zeros(200, dtype=np.int64), 2, Provenance("", ""))


def ids_of(data: TrainingSet, seed: int = 1, epoch: int = 0, size: int = 8) -> list[list[int]]:
    return [data.kept_ids[rows].tolist() for rows in batches(data, seed, epoch, size)]


def flat(cut: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(cut))


@given(st.sets(st.integers(0, 199), min_size=1), st.data(), st.integers(1, 50), st.integers(0, 3))
def test_every_kept_record_comes_once_an_epoch_and_no_deleted_one(
    ids: set[int], data: st.DataObject, size: int, epoch: int
) -> None:
    forgotten = np.array(sorted(data.draw(st.sets(st.sampled_from(sorted(ids))))), dtype=np.int64)
    for order in ("slot", "compact"):
        kept = TrainingSet.of(RECORDS, sorted(ids)).after(Step(forgotten), order)
        cut = ids_of(kept, epoch=epoch, size=size)
        assert sorted(flat(cut)) == sorted(ids - set(forgotten.tolist()))
        assert all(0 < len(batch) <= size for batch in cut)


def test_slot_takes_the_record_out_of_its_batch_and_leaves_all_other_batches() -> None:
    data = TrainingSet.of(RECORDS, np.arange(60))
    before = ids_of(data)
    forgotten = before[2][3]
    expected = [[i for i in batch if i != forgotten] for batch in before]
    assert ids_of(data.after(Step(np.array([forgotten])), "slot")) == expected


def test_compact_moves_every_later_record_one_place_up() -> None:
    data = TrainingSet.of(RECORDS, np.arange(60))
    before = ids_of(data)
    forgotten = before[2][3]
    after = ids_of(data.after(Step(np.array([forgotten])), "compact"))
    assert flat(after) == [i for i in flat(before) if i != forgotten]
    assert after[:2] == before[:2]
    assert len(after[2]) == 8
    assert after[2] != before[2]


def test_a_batch_whose_records_are_all_masked_is_left_out() -> None:
    data = TrainingSet.of(RECORDS, np.arange(24))
    before = ids_of(data)
    assert ids_of(data.after(Step(np.array(before[1])), "slot")) == [before[0], before[2]]


def test_the_order_depends_on_ids_and_not_on_places() -> None:
    there, back = (TrainingSet.of(RECORDS, ids) for ids in (np.arange(40), np.arange(40)[::-1]))
    assert ids_of(there) == ids_of(back)


@pytest.mark.parametrize("other", [{"epoch": 1}, {"seed": 2}])
def test_epochs_and_seeds_have_orders_of_their_own(other: dict[str, int]) -> None:
    data = TrainingSet.of(RECORDS, np.arange(60))
    assert ids_of(data) != ids_of(data, **other)
