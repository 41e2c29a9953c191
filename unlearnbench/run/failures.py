"""Failures as values: what goes wrong in one piece of work never affects another."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from unlearnbench.core.executors import Failure

T = TypeVar("T")


class MissingError(Exception):
    """A result that other work needs does not exist; the message says why."""


class FailedElsewhereError(Exception):
    """Work failed in another process, which says how."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def guarded(work: Callable[[], T]) -> T | Failure:
    """Return what ``work`` returns, or its exception as a :class:`Failure`."""
    try:
        return work()
    except MissingError as error:
        return Failure("failed", str(error))
    except FailedElsewhereError as error:
        return error.failure
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may raise anything, and that is a result
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        return Failure("failed", reason, traceback.format_exc())
