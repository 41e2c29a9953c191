"""Failures as values: what goes wrong in one piece of work never affects another."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from unlearnbench.core.errors import describe_error
from unlearnbench.core.executors import Failure, FailureStatus
from unlearnbench.core.plugin_calls import plugin_call

T = TypeVar("T")


class MissingError(Exception):
    """A result that other work needs does not exist; the message says why."""


class FailedElsewhereError(Exception):
    """Work failed in another process, which says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def guarded(work: Callable[[], T]) -> T | Failure:
    """Return what ``work`` returns, or its exception as a :class:`Failure`; only Ctrl-C stops a run.

    What its plug-ins change in the process is undone.
    """
    try:
        with plugin_call():
            return work()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in may raise anything, and that is a result
        return failure_of(error)


def failure_of(error: BaseException) -> Failure:
    """Return an exception as a failure. Of what is missing or failed elsewhere, the place here tells nothing."""
    if isinstance(error, FailedElsewhereError):
        return error.failure
    if isinstance(error, MissingError):
        return Failure("failed", str(error))
    status: FailureStatus = "out of memory" if isinstance(error, MemoryError) else "failed"
    return Failure(status, describe_error(error), _traceback(error))


def _traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - formatting calls the code of the exception, which may raise anything
        return ""
