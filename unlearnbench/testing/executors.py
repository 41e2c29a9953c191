"""What is asked of every executor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.testing.contract import Subject
from unlearnbench.testing.findings import check


def _square(number: int) -> int:
    return number * number


@check("Yield (task, work(task)) once for each task, in whatever order they are done.")
def does_every_task_once(subject: Subject) -> Iterator[str]:
    """Every task comes back once, with what the work made of it; none, one or several of them."""
    for n in (0, 1, 5):
        done = sorted(subject.made.run(_square, list(range(n))))
        if done != [(task, task * task) for task in range(n)]:
            yield f"{n} tasks come back as {done!r:.80}"


CHECKS: Final = (does_every_task_once,)
