"""Worker processes on this machine, one thread each. One that ends costs the task it was doing, not the run."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from unlearnbench.builtin.executors.crew import Crew
from unlearnbench.builtin.executors.memory import memory_by_group, peak_memory, workers_within
from unlearnbench.builtin.executors.packs import Packs
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import NO_LIMITS, Executor, Failure, Outcome, Task, Work
from unlearnbench.core.limits import Limits, bytes_of
from unlearnbench.engine.workers import exit_if_worker_is_starting, one_thread


@dataclass(frozen=True)
class ProcessExecutor(Executor):
    """Do tasks in several processes on this machine, with one thread each.

    ``workers``: the largest number of processes.

    ``memory``: limit on the total memory, such as "4GB", or "" for none. The number of workers is the limit minus this
    process, divided by the peak memory of the largest worker so far. One worker runs first, to measure it. The limit
    is kept as long as later tasks need no more memory than earlier ones.

    A task in whose middle a process ended, or was ended because of a limit, is tried once more as the first task of a
    new process, unless it was the first already. If that process ends too, the task has failed. The workers end with
    this process, in whatever way it ends.
    """

    workers: int = 2
    memory: str = ""
    _crew: Crew = field(default_factory=Crew, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"workers: must be at least 1, got {self.workers}")
        if self.memory:
            bytes_of(self.memory), peak_memory()  # UserError for what is no size, or a system that reports no peak

    def run(
        self, work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome as it is done. UserError where a worker cannot start or load plug-ins."""
        return self.run_while(lambda: True, work, tasks, limits)

    def run_while(
        self, wanted: Callable[[], bool], work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Do the same while it is wanted, which is asked several times a second; what is not done then is stopped."""
        exit_if_worker_is_starting()
        if limits.memory:
            memory_by_group()  # UserError on a system that does not tell
        packs, pickled = Packs(tasks, work), pickle.dumps(work)
        done: list[tuple[Any, Any]] = []
        try:
            with one_thread():  # workers start with its environment, before they import anything
                while (packs or self._crew.busy) and wanted():
                    try:
                        self._hand_out(packs, pickled)  # before the caller, who may take a while, is given outcomes
                    finally:
                        yield from done
                    done = self._crew.next_outcomes(packs, pickled, limits)
                yield from done
        finally:
            self._crew.stop_busy()

    def _hand_out(self, packs: Packs[Any], work: bytes) -> None:
        self._crew.shrink(most := self._most())
        while len(self._crew.busy) < most and self._crew.give_next(packs, work):
            pass

    def _most(self) -> int:
        """Return how many workers there may be now."""
        if not (self.memory and self._crew.peak):
            return 1 if self.memory else self.workers
        fit = workers_within(bytes_of(self.memory), peak_memory(), self._crew.peak)
        return min(self.workers, fit) if self._crew.measured else 1

    def close(self) -> None:
        """End the workers."""
        self._crew.shrink(0)
