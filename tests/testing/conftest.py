"""The kit on classes that are correct, or wrong in one way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unlearnbench.hooks.records import RECORDS, Kind
from unlearnbench.hooks.registry import Registered, Registry, Source
from unlearnbench.testing import findings_of

Found = Callable[..., set[str]]


@pytest.fixture
def found(registry: Registry) -> Found:
    """Return the names of the checks that a class fails."""

    def found(kind: Kind, cls: type, **about: object) -> set[str]:
        if not vars(cls).get("__doc__"):
            cls.__doc__ = "Say what it is."
        record = RECORDS[kind](name="mine", summary="Mine", factory=cls, **about)  # type: ignore[arg-type]  # by kind
        return {finding.check for finding in findings_of(Registered(record, Source("file", "mine.py")), registry)}

    return found
