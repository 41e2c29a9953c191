"""One task after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from unlearnbench.core.executors import Executor, Outcome, Task


@dataclass(frozen=True)
class SerialExecutor(Executor):
    """Do the tasks in the order given."""

    def run(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task with its outcome."""
        for task in tasks:
            yield task, work(task)
