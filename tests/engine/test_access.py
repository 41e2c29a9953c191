"""What a method does not declare raises when it is read, wherever it is handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pytest

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import Records, Step, TrainingSet
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.access import AccessError
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner

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
        lambda deletion: deletion.forget.y,
        lambda deletion: len(deletion.forget),
    ],
    "validation-set": [
        lambda deletion: deletion.original.validation,
        lambda deletion: np.asarray(deletion.original.validation_ids),
        lambda deletion: len(deletion.original.validation_ids),
    ],
}
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
    assert len(serve(Reads((data,), read), spy, records).tasks) == 1
    assert len(serve(Reads(None, read), spy, records).tasks) == 1


@pytest.mark.parametrize("data", ["retain-set", "validation-set"])
def test_the_original_is_guarded_in_preparation_too(data: str, spy: type[Spy], records: Records) -> None:
    read = READS[data][-1]
    with pytest.raises(AccessError, match=data):
        serve(Prepares(("labels",), read), spy, records)
    assert len(serve(Prepares((data,), lambda deletion: None), spy, records).tasks) == 1


def test_the_number_of_classes_can_always_be_read(spy: type[Spy], records: Records) -> None:
    found: list[int] = []
    serve(Reads((), lambda deletion: found.append(deletion.original.data.n_classes)), spy, records)
    assert found == [3]
