"""Numbers that no run can have are found, and controls that see no model are scored again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.submissions.checking import Data
from unlearnbench.core.errors import UserError
from unlearnbench.submissions.check import check_submission

if TYPE_CHECKING:
    from tests.submissions.conftest import Copy, Packed


def logistic(copy: Copy) -> Data:
    bench: Data = next(bench for bench in copy.data["benches"] if bench["model"] == "logistic-regression")
    return bench


def test_matched_negatives_must_be_unseen_records(copy: Copy, packed: Packed) -> None:
    first = packed.plan.groups[0].target[0]
    entry = packed.store.get("episode", first.key)
    assert entry is not None
    forgotten = int(entry.arrays["row-record"][0])

    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = forgotten
        return ids

    assert any(
        "some matched negatives are not unseen records" in line
        for line in copy.forge_array(logistic(copy)["matched"], change)
    )


def test_a_matched_negative_is_named_once(copy: Copy) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 1] = ids[0, 0]
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("a request has a matched negative twice" in line for line in found)


def test_matched_negatives_have_the_label_of_what_they_are_like(copy: Copy, packed: Packed) -> None:
    labels = packed.store.get("episode", packed.plan.groups[0].target[0].key)
    assert labels is not None

    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        rows, roles = labels.arrays["row-record"], labels.arrays["row-role"]
        own = labels.arrays["row-label"][0]
        unseen = rows[(roles == 1) & (labels.arrays["row-label"] != own)]
        ids[0, 0] = unseen[0]
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("one whose label none of its deleted records has" in line for line in found)


@pytest.mark.parametrize("record", [569, 10**9, -2, -(2**63)])
def test_a_matched_negative_is_a_record(copy: Copy, record: int) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = record
        return ids

    found = copy.forge_array(logistic(copy)["matched"], change)
    assert any("a matched negative is none of the 569 records" in line for line in found)


def test_matched_negatives_leave_no_gaps(copy: Copy) -> None:
    def change(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        ids[0, 0] = -1
        return ids

    assert any(
        "the matched negatives have gaps" in line for line in copy.forge_array(logistic(copy)["matched"], change)
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("accuracies", "is outside [0, 1]"),
        ("forgotten", "is outside [0, 1]"),
        ("passes", "a number of record passes is negative"),
        ("seconds", "a time is negative"),
        ("memory", "a peak of memory is negative"),
    ],
)
def test_numbers_that_cannot_be_are_found(copy: Copy, name: str, found: str) -> None:
    assert any(found in line for line in copy.forge_array(logistic(copy)[name], lambda numbers: -1.5 - numbers))


def test_fewer_than_no_epochs_to_learn_records_again_are_found(copy: Copy) -> None:
    def claimed(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        part = data["benches"][0]
        part["relearned"] = len(arrays)
        arrays.append(np.full(len(arrays[part["passes"]]), -1.0))

    assert any("a number of epochs to learn records again is negative" in line for line in copy.forge_claims(claimed))


def test_a_submission_of_before_these_were_measured_is_checked_without_outcomes(copy: Copy) -> None:
    def older(data: dict[str, Any], arrays: list[NDArray[Any]]) -> None:
        for part in data["benches"]:
            part |= dict.fromkeys(("forgotten", "passes", "outcomes", "memory"))
            for cell in part["cells"]:
                cell["divergence"] = None

    assert all(row.outcomes is not None for row in copy.check().rows if row.status == "ok")
    assert copy.forge_claims(older) == []
    assert all(row.outcomes is None for row in copy.check().rows)


@pytest.mark.parametrize("attack", ["oracle-label", "random"])
def test_controls_that_see_no_model_are_scored_again(copy: Copy, attack: str) -> None:
    cell = next(cell for cell in logistic(copy)["cells"] if cell["attack"] == attack)
    found = copy.forge_array(cell["scores"], lambda scores: np.roll(scores, 1) * 0.99)
    assert any(
        f"{attack}: sees no model, and its scores are not those of the suite's records" in line for line in found
    )


def test_there_must_be_a_folder(copy: Copy) -> None:
    with pytest.raises(UserError, match="there is no such folder; give that of one submission"):
        check_submission(copy.folder / "nothing", copy.suite)
