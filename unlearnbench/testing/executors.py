"""Requirements of executors."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from contextlib import closing
from time import sleep
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.core.limits import Limits
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check

_LIMIT: Final = 0.2
"""Seconds."""


class _Square:
    """Work that squares numbers; every other task compiles the same kernels."""

    def __call__(self, task: int, /) -> int:
        return task * task

    def shared(self, task: int, /) -> int:
        return task // 2

    def kernels(self, task: int, /) -> str:
        return "odd" if task % 2 else ""

    def device(self, _: int, /) -> str:
        return "cpu"

    def portable(self, _: Sequence[int], /) -> _Square:
        return self

    def fingerprint(self) -> dict[str, str]:
        return {"python": platform.python_version()}


class _Slow(_Square):
    """Work that takes longer than it may."""

    def __call__(self, task: int, /) -> int:
        sleep(10 * _LIMIT)
        return task * task


class _Impossible(_Square):
    """Work that raises UserError."""

    def __call__(self, _: int, /) -> int:
        raise UserError("no plug-in to do this with")


@check("Yield (task, work(task)) once for each task, in any order.")
def does_every_task_once(subject: Subject) -> Iterator[str]:
    """Each of no, one or several tasks is yielded once, with its outcome."""
    for n in (0, 1, 5):
        with closing(subject.made) as executor:
            done = sorted(executor.run(_Square(), list(range(n))))
        if done != [(task, task * task) for task in range(n)]:
            yield f"{n} tasks yield {done!r:.80}"


@check("Let a UserError of the work propagate to the caller, which ends the run.")
def passes_on_users_errors(subject: Subject) -> Iterator[str]:
    """Work that raises UserError ends the run with that error."""
    try:
        with closing(subject.made) as executor:
            done = list(executor.run(_Impossible(), [1, 2]))
    except UserError:
        return
    yield f"a UserError of the work does not propagate; the tasks yield {done!r:.80}"


@check("Enforce limits: end what exceeds them, or raise UserError where limits are given.")
def enforces_limits(subject: Subject) -> Iterator[str]:
    """A task that takes too long has the outcome ``timeout``, or limits are refused."""
    try:
        with closing(subject.made) as executor:
            ((_, outcome),) = executor.run(_Slow(), [3], Limits(timeout=_LIMIT))
    except UserError:
        return
    if not (isinstance(outcome, Failure) and outcome.status == "timeout"):
        yield f"a task of {10 * _LIMIT:g} s under a limit of {_LIMIT:g} s yields {outcome!r:.80}"


CHECKS: Final = (does_every_task_once, passes_on_users_errors, enforces_limits)
