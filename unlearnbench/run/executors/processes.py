"""Worker processes on this machine, one thread each. One that dies costs the task it held, not the run.

``concurrent.futures`` gives up the whole pool when a worker dies, hence a small pool of our own. Workers are spawned,
never forked: this process may have threads. What goes through the pipes is pickled by multiprocessing; both ends are
our own processes, so that is no boundary of trust, and nothing pickled is kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, cast

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor, Outcome, Task
from unlearnbench.run.environment import one_thread
from unlearnbench.run.executors.memory import bytes_of, peak_memory, workers_within
from unlearnbench.run.executors.tasks import Queue
from unlearnbench.run.store import Failure


@dataclass(frozen=True)
class ProcessExecutor(Executor):
    """Do tasks in ``workers`` processes; ``work`` and tasks must go through pickle.

    ``workers``: how many

    ``memory``: a size such as "4GB", or nothing; no more workers than fit into it beside this process, by what one held
    at most so far; the first works alone until that is known. It holds as far as later tasks take no more than earlier

    The outcome of a task whose worker died is a :class:`Failure` with status ``crashed``; another worker takes its
    place. When this process ends, however it ends, the workers end too.
    """

    workers: int = 2
    memory: str = ""

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"workers: must be at least 1, not {self.workers}")
        if self.memory:
            bytes_of(self.memory), peak_memory()  # UserError for what is no size, or where the system tells no peak

    def run(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task with its outcome as it is done. UserError where a worker cannot start or load its tools.

        ``work.kernels(task)``, where it is there, names what a task compiles: see :class:`Queue`.
        """
        queue = Queue(tasks, getattr(work, "kernels", lambda _: ""))
        crew: _Crew[Task, Outcome] = _Crew(work)
        try:
            with one_thread():  # its environment is what workers start with, before they import anything
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
        if not (self.memory and crew.held):
            return 1 if self.memory else self.workers
        fit = workers_within(bytes_of(self.memory), peak_memory(), crew.held)
        return min(self.workers, fit) if crew.tried else 1


@dataclass(eq=False)
class _Crew(Generic[Task, Outcome]):
    """The workers, busy and idle. ``held``: bytes that one held at most so far; ``tried``: a task came to its end."""

    work: Callable[[Task], Outcome]
    busy: list[_Worker] = field(default_factory=list)
    idle: list[_Worker] = field(default_factory=list)
    held: int = 0
    tried: bool = False

    def give(self, task: Task) -> None:
        """Have an idle worker or a new one do a task."""
        worker = self.idle.pop() if self.idle else _Worker(self.work)
        self.busy.append(worker)
        worker.give(task)

    def shrink(self, most: int) -> None:
        """Stop workers beyond so many: idle ones, and for none at all the busy ones too."""
        excess = max(0, len(self.busy) + len(self.idle) - most)
        stopped = self.idle[:excess] + ([] if most else self.busy)
        self.idle = self.idle[excess:]
        for worker in stopped:
            worker.stop()

    def outcomes(self) -> Iterator[tuple[Task, Outcome]]:
        """Wait until a worker has something to say; yield the tasks that came to an end."""
        ready = wait([worker.pipe for worker in self.busy])
        for worker in [worker for worker in self.busy if worker.pipe in ready]:
            if not worker.started:
                self.held = max(self.held, worker.wait_for_start())
                continue
            held, outcome = worker.report()
            self.held, self.tried = max(self.held, held), True
            self.busy.remove(worker)
            self.idle += [worker] if not worker.pipe.closed else []
            yield cast(Task, worker.task), cast(Outcome, outcome)


class _Worker:
    """One process and the task it holds."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
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
        """Return the bytes it holds before its first task. UserError if it died: no other would do better."""
        try:
            held, _ = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.stop(kill=False)
            raise UserError(f"a worker process {self._death()} before its first task") from None
        self.started = True
        return cast(int, held)

    def report(self) -> tuple[int, object]:
        """Return the bytes it held at most so far and what became of the task; a dead one held what is known."""
        try:
            held, outcome = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.stop(kill=False)
            return 0, Failure("crashed", f"its worker process {self._death()}")
        if isinstance(outcome, UserError):
            raise outcome
        return held, outcome

    def stop(self, kill: bool = True) -> None:
        """End the process at once, or see it off; it keeps nothing that could be lost."""
        if kill:
            self.process.kill()
        self.process.join()
        self.pipe.close()

    def _death(self) -> str:
        code = self.process.exitcode
        return f"was killed by {signal.Signals(-code).name}" if code and code < 0 else f"exited with {code}"


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Do tasks until told to stop: what runs in a worker. It first says that it is there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with one_thread(), suppress(EOFError, BrokenPipeError):
        pipe.send((_held(), None))
        while True:
            outcome = _done(work, pipe.recv())
            pipe.send((_held(), outcome))


def _done(work: Callable[[Any], Any], task: object) -> object:
    try:
        return work(task)
    except UserError as error:  # not of the task: what the worker needs is not there
        return UserError(str(error))
    except Exception as error:  # noqa: BLE001 - failures of tasks are values: this would meet every one of them
        return UserError(f"a worker process cannot work: {type(error).__name__}: {error}")


def _held() -> int:
    with suppress(UserError):  # told where it is asked for, in the parent
        return peak_memory()
    return 0


def _end_with_parent() -> None:
    """End this process when its parent is gone, in the middle of a task if need be."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
