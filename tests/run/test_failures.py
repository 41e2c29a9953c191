from __future__ import annotations

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.run.failures import MissingError, guarded


def raising(error: BaseException) -> object:
    def work() -> object:
        raise error

    return guarded(work)


def test_what_work_returns_is_handed_through() -> None:
    assert guarded(lambda: 3) == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("first\nsecond"), "ValueError: first"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError:"),
        (UserError("wrong", "file:1:2"), "UserError: file:1:2: wrong"),
        (SystemExit(3), "SystemExit: 3"),
        (MemoryError(), "MemoryError:"),
    ],
)
def test_an_exception_becomes_a_failure_with_one_line_and_a_traceback(error: BaseException, reason: str) -> None:
    failure = raising(error)
    assert isinstance(failure, Failure)
    assert (failure.status, failure.reason) == ("failed", reason)
    assert failure.traceback.startswith("Traceback")


def test_what_is_missing_needs_no_traceback() -> None:
    assert raising(MissingError("target original 0: it broke")) == Failure("failed", "target original 0: it broke")


def test_ctrl_c_stops_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        raising(KeyboardInterrupt())
