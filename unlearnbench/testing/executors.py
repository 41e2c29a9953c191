"""Requirements of executors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check


class _Square:
    """Work that squares numbers; every other task compiles the same kernels."""

    def __call__(self, task: int, /) -> int:
        return task * task

    def kernels(self, task: int, /) -> str:
        return "odd" if task % 2 else ""


class _Impossible(_Square):
    """Work that raises UserError."""

    def __call__(self, _: int, /) -> int:
        raise UserError("no plug-in to do this with")


@check("Yield (task, work(task)) once for each task, in any order.")
def does_every_task_once(subject: Subject) -> Iterator[str]:
    """Each of no, one or several tasks is yielded once, with its outcome."""
    for n in (0, 1, 5):
        done = sorted(subject.made.run(_Square(), list(range(n))))
        if done != [(task, task * task) for task in range(n)]:
            yield f"{n} tasks yield {done!r:.80}"


@check("Let a UserError of the work propagate to the caller, which ends the run.")
def passes_on_users_errors(subject: Subject) -> Iterator[str]:
    """Work that raises UserError ends the run with that error."""
    try:
        done = list(subject.made.run(_Impossible(), [1, 2]))
    except UserError:
        return
    yield f"a UserError of the work does not propagate; the tasks yield {done!r:.80}"


CHECKS: Final = (does_every_task_once, passes_on_users_errors)
