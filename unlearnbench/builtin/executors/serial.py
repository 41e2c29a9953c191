"""One task after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unlearnbench.core.executors import Executor, Failure, Outcome, Task, Work


@dataclass(frozen=True)
class SerialExecutor(Executor):
    """Do the tasks in the order given."""

    def run(self, work: Work[Task, Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome."""
        for task in tasks:
            yield task, work(task)
