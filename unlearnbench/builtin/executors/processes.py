"""Worker processes on this machine, one thread each. One that dies costs the task it held, not the run.

``concurrent.futures`` gives up all workers when one dies, hence a small pool of our own. Workers are spawned, never
forked, because this process may have threads. What goes through the pipes is pickled by multiprocessing. Both ends are
our own processes, so this is no boundary of trust, and nothing pickled is kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, cast

from unlearnbench.builtin.executors.scheduling import Queue, bytes_of, peak_memory, workers_within
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor, Failure, Outcome, Task, Work
from unlearnbench.engine.workers import UNGUARDED, exit_if_worker_is_starting, how_ended, one_thread


@dataclass(frozen=True)
class ProcessExecutor(Executor):
    """Do tasks in several processes on this machine, with one thread each.

    ``workers``: the largest number of processes.

    ``memory``: limit on the total memory, such as "4GB", or "" for none. The number of workers is the limit minus this
    process, divided by the peak memory of the largest worker so far. One worker runs first, to measure it. The limit
    is kept as long as later tasks need no more memory than earlier ones.

    A task whose worker died has the outcome ``crashed``, and another worker is started. When this process ends, in
    whatever way, the workers end too.
    """

    workers: int = 2
    memory: str = ""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"workers: must be at least 1, got {self.workers}")
        if self.memory:
            bytes_of(self.memory), peak_memory()  # UserError for what is no size, or a system that reports no peak

    def run(self, work: Work[Task, Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome as it is done. UserError where a worker cannot start or load plug-ins."""
        exit_if_worker_is_starting()
        queue = Queue(tasks, work.kernels)
        crew: _Crew[Task, Outcome] = _Crew(work)
        try:
            with one_thread():  # workers start with its environment, before they import anything
                while queue or crew.busy:
                    crew.shrink(most := self._most(crew))
                    while len(crew.busy) < most and (task := queue.take()) is not None:
                        crew.give(task)
                    for task, outcome in crew.outcomes():
                        queue.done(task)
                        yield task, outcome
        finally:
            crew.shrink(0)

    def _most(self, crew: _Crew[Task, Outcome]) -> int:
        """Return how many workers there may be now."""
        if not (self.memory and crew.peak):
            return 1 if self.memory else self.workers
        fit = workers_within(bytes_of(self.memory), peak_memory(), crew.peak)
        return min(self.workers, fit) if crew.measured else 1


@dataclass(eq=False)
class _Crew(Generic[Task, Outcome]):
    """The workers."""

    work: Work[Task, Outcome]
    busy: list[_Worker] = field(default_factory=list)
    idle: list[_Worker] = field(default_factory=list)
    peak: int = 0
    """The peak memory of the largest worker so far, in bytes."""
    measured: bool = False
    """Whether a task has been done, so that ``peak`` is that of a worker with its data sets loaded."""

    def give(self, task: Task) -> None:
        """Have an idle worker or a new one do a task."""
        worker = self.idle.pop() if self.idle else _Worker(self.work)
        self.busy.append(worker)
        worker.give(task)

    def shrink(self, most: int) -> None:
        """Stop idle workers until there are at most so many; for 0, stop the busy ones too."""
        excess = max(0, len(self.busy) + len(self.idle) - most)
        stopped = self.idle[:excess] + ([] if most else self.busy)
        self.idle = self.idle[excess:]
        for worker in stopped:
            worker.stop()

    def outcomes(self) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Wait until a worker reports; yield the tasks that are done."""
        ready = wait([worker.pipe for worker in self.busy])
        for worker in [worker for worker in self.busy if worker.pipe in ready]:
            if not worker.started:
                self.peak = max(self.peak, worker.wait_for_start())
                continue
            peak, outcome = worker.report()
            self.peak, self.measured = max(self.peak, peak), True
            self.busy.remove(worker)
            self.idle += [worker] if not worker.pipe.closed else []
            yield cast(Task, worker.task), cast("Outcome | Failure", outcome)


class _Worker:
    """One process and the task it holds."""

    def __init__(self, work: Work[Any, Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.started = False
        self.pipe, other = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(other, work), daemon=True)
        self.process.start()
        other.close()  # only the worker holds its end, so that its death reads as the end of the pipe

    def give(self, task: object) -> None:
        """Hand over the next task. A worker that is gone is noticed when its report is read."""
        self.task = task
        with suppress(BrokenPipeError):
            self.pipe.send(task)

    def wait_for_start(self) -> int:
        """Return the memory in bytes that it holds before its first task. UserError if it died: so would all others."""
        try:
            peak, _ = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.stop(kill=False)
            raise UserError(self._no_start()) from None
        self.started = True
        return cast(int, peak)

    def report(self) -> tuple[int, object]:
        """Return its peak memory in bytes so far, and the outcome of its task."""
        try:
            peak, outcome = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.stop(kill=False)
            return 0, Failure("crashed", f"its worker process {self._death()}")
        if isinstance(outcome, UserError):
            raise outcome
        return peak, outcome

    def stop(self, kill: bool = True) -> None:
        """Wait for the process to end, by default after killing it; it keeps nothing that could be lost."""
        if kill:
            self.process.kill()
        self.process.join()
        self.pipe.close()

    def _no_start(self) -> str:
        if self.process.exitcode == UNGUARDED:
            return (
                "each worker process imports the script that starts it, which would start the run again; "
                'put the call that runs the suite below the line: if __name__ == "__main__":'
            )
        return f"a worker process {self._death()} before its first task"

    def _death(self) -> str:
        return how_ended(self.process.exitcode)


def _serve(pipe: Connection, work: Work[Any, Any]) -> None:
    """Do tasks until the process is stopped: what runs in a worker. Its first report says that it has started."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with one_thread(), suppress(EOFError, BrokenPipeError):
        pipe.send((_peak(), None))
        while True:
            outcome = _done(work, pipe.recv())
            pipe.send((_peak(), outcome))


def _done(work: Work[Any, Any], task: object) -> object:
    try:
        return work(task)
    except UserError as error:  # not of the task: what the worker needs is not there
        return UserError(str(error))
    except Exception as error:  # noqa: BLE001 - failures of tasks are values: this would meet every one of them
        return UserError(f"a worker process cannot work: {type(error).__name__}: {error}")


def _peak() -> int:
    with suppress(UserError):  # raised in the parent, if a limit is given
        return peak_memory()
    return 0


def _end_with_parent() -> None:
    """End this process when its parent is gone, in the middle of a task if need be."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
