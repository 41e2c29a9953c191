"""One task after the other, in this process; under limits in one other process, which can be ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.core.executors import NO_LIMITS, Executor, Failure, Outcome, Task, Work
from unlearnbench.core.limits import Limits


@dataclass(frozen=True)
class SerialExecutor(Executor):
    """Do the tasks in the order given. Limits need a process that can be ended: under limits there is one worker."""

    _limited: ProcessExecutor = field(default_factory=lambda: ProcessExecutor(1), init=False, repr=False, compare=False)

    def run(
        self, work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome."""
        if limits:
            yield from self._limited.run(work, tasks, limits)
            return
        for task in tasks:
            yield task, work(task)

    def close(self) -> None:
        """End the worker, if there is one."""
        self._limited.close()
