"""What a method does not declare raises when it is read, wherever it is handed over."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.access import AccessError
from unlearnbench.engine.unlearners import Deletion, FunctionState, FunctionUnlearner

if TYPE_CHECKING:
    from tests.conftest import Spy

READS: dict[str, list[Callable[[Deletion], Any]]] = {
    "retain-set": [
        lambda deletion: deletion.retain.x,
        lambda deletion: deletion.retain.kept_ids,
        lambda deletion: len(deletion.retain),
        lambda deletion: deletion.original.data.kept_ids,
    ],
    "forget-set": [
        lambda deletion: deletion.forget.x,
        lambda deletion: len(deletion.forget),
    ],
    "validation-set": [
        lambda deletion: deletion.original.validation.x,
        lambda deletion: np.asarray(deletion.original.validation_ids),
        lambda deletion: len(deletion.original.validation_ids),
    ],
    "labels": [
        lambda deletion: deletion.forget.y,
        lambda deletion: deletion.retain.y,
        lambda deletion: deletion.original.validation.y,
        lambda deletion: deletion.retain.records.y,
    ],
}
FORGOTTEN, KEPT, VALIDATION, UNKNOWN = 1, 2, 30, 25
"""A record of each set, and one of none."""
ROWS: dict[str, int] = {"retain-set": KEPT, "forget-set": FORGOTTEN, "validation-set": VALIDATION}
HANDED: list[Callable[[Deletion], Records]] = [
    lambda deletion: deletion.forget.records,
    lambda deletion: deletion.retain.records,
    lambda deletion: deletion.retain.original.records,
    lambda deletion: deletion.original.data.records,
    lambda deletion: deletion.original.validation.records,
]
"""Every way to the whole data set."""
INDICES: dict[str, Callable[[int], Any]] = {
    "number": lambda row: row,
    "list": lambda row: [row],
    "mask": lambda row: np.arange(60) == row,
    "slice": lambda row: slice(row, row + 1),
    "row and column": lambda row: ([row], 0),
}
WHOLE: list[Callable[[Records], Any]] = [
    lambda records: records.x[:],
    lambda records: records.x[...],
    lambda records: records.x[None],
    lambda records: np.asarray(records.x),
    lambda records: records.x[()],
    lambda records: records.sha256,
    lambda records: records.has_duplicate,
]
CASES = [pytest.param(data, read, id=f"{data}-{i}") for data, reads in READS.items() for i, read in enumerate(reads)]


class Reads(FunctionUnlearner):
    """Reads something, and answers with the model it was given."""

    def __init__(self, sees: tuple[str, ...] | None, read: Callable[[Deletion], Any]) -> None:
        self.sees: ClassVar[tuple[str, ...] | None] = sees  # type: ignore[misc]  # each has its own
        self.read = read

    def unlearn(self, deletion: Deletion) -> Fitted:
        self.read(deletion)
        assert deletion.original.fitted is deletion.fitted
        return deletion.fitted


class Prepares(Reads):
    """Reads the original before any request."""

    def precompute(self, original: Original) -> Any:
        return self.read(Deletion(original.fitted, original.data, original.data, original, SeedPath(0)))


def serve(method: FunctionUnlearner, spy: type[Spy], records: Records) -> Spy:
    """Serve one request; return the model, which counts what it trains."""
    model = spy()
    original = Original(model, TrainingSet.of(records, range(20)), SeedPath(1), validation_ids=np.array([30, 31]))
    method.serve(method.prepare(original), Step(np.array([1])), SeedPath(2))
    return model


@pytest.mark.parametrize(("data", "read"), CASES)
def test_what_is_not_declared_raises(
    data: str, read: Callable[[Deletion], Any], spy: type[Spy], records: Records
) -> None:
    others = tuple(name for name in READS if name != data)
    with pytest.raises(AccessError, match=f"Reads reads the {data}, which its `sees` does not declare"):
        serve(Reads(others, read), spy, records)


@pytest.mark.parametrize(("data", "read"), CASES)
def test_what_is_declared_can_be_read_and_nothing_is_trained_twice(
    data: str, read: Callable[[Deletion], Any], spy: type[Spy], records: Records
) -> None:
    declared = tuple(READS) if data == "labels" else (data,)  # labels are those of some set
    assert len(serve(Reads(declared, read), spy, records).tasks) == 1
    assert len(serve(Reads(None, read), spy, records).tasks) == 1


@pytest.mark.parametrize("data", ["retain-set", "validation-set"])
def test_the_original_is_guarded_in_preparation_too(data: str, spy: type[Spy], records: Records) -> None:
    read = READS[data][-1]
    with pytest.raises(AccessError, match=data):
        serve(Prepares(("labels",), read), spy, records)
    assert len(serve(Prepares((data,), lambda deletion: None), spy, records).tasks) == 1


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)
@pytest.mark.parametrize("data", ROWS)
def test_rows_are_read_by_those_who_declare_their_set(
    data: str, index: Callable[[int], Any], spy: type[Spy], records: Records
) -> None:
    found: list[Any] = []
    rows = index(ROWS[data])

    def read(deletion: Deletion) -> None:
        found.append(deletion.forget.records.x[rows])

    serve(Reads((data,), read), spy, records)
    assert np.array_equal(found[0], records.x[rows])
    with pytest.raises(AccessError, match="records of sets that its `sees` does not declare"):
        serve(Reads(tuple(name for name in ROWS if name != data), read), spy, records)


@pytest.mark.parametrize("handed", HANDED)
def test_rows_of_no_set_can_never_be_read(
    handed: Callable[[Deletion], Records], spy: type[Spy], records: Records
) -> None:
    with pytest.raises(AccessError, match="records of sets that its `sees` does not declare"):
        serve(Reads(tuple(READS), lambda deletion: handed(deletion).x[[KEPT, UNKNOWN]]), spy, records)


@pytest.mark.parametrize("read", WHOLE)
def test_the_data_set_cannot_be_read_as_a_whole(
    read: Callable[[Records], Any], spy: type[Spy], records: Records
) -> None:
    with pytest.raises(AccessError, match="Reads reads"):
        serve(Reads(tuple(READS), lambda deletion: read(deletion.forget.records)), spy, records)


def test_a_record_that_was_deleted_before_is_of_the_original_s_training_set_only(
    spy: type[Spy], records: Records
) -> None:
    def read(deletion: Deletion) -> Any:
        return deletion.original.data.records.x[[FORGOTTEN]]

    def serve_both(sees: tuple[str, ...]) -> None:
        method, original = Reads(sees, read), Original(spy(), TrainingSet.of(records, range(20)), SeedPath(1))
        second = FunctionState(original.fitted, original.data.after(Step(np.array([FORGOTTEN]))), original, None)
        method.serve(second, Step(np.array([KEPT])), SeedPath(3))

    serve_both(("retain-set", "forget-set"))
    for one in ("retain-set", "forget-set"):
        with pytest.raises(AccessError):
            serve_both((one,))


def test_before_any_request_records_are_those_to_be_forgotten_too(spy: type[Spy], records: Records) -> None:
    def read(deletion: Deletion) -> Any:
        return deletion.original.data.x

    with pytest.raises(AccessError):
        serve(Prepares(("retain-set",), read), spy, records)
    assert len(serve(Prepares(("retain-set", "forget-set"), read), spy, records).tasks) == 1


def test_what_is_guarded_can_be_copied(spy: type[Spy], records: Records) -> None:
    found: list[Deletion] = []
    serve(Reads(("forget-set",), lambda deletion: found.append(copy.deepcopy(deletion))), spy, records)
    assert np.array_equal(found[0].forget.x, records.x[[FORGOTTEN]])
    with pytest.raises(AccessError):
        len(found[0].retain)


def test_facts_of_the_data_set_can_always_be_read(spy: type[Spy], records: Records) -> None:
    found: list[Any] = []

    def read(deletion: Deletion) -> None:
        known = deletion.forget.records
        found.extend(
            [known.name, known.n_classes, len(known), known.x.shape, known.x.ndim, known.x.dtype, len(known.x)]
        )
        found.append(deletion.original.data.n_classes)

    serve(Reads((), read), spy, records)
    x = records.x
    assert found == [records.name, records.n_classes, len(records), x.shape, x.ndim, x.dtype, len(x), 3]
