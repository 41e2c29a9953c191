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
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, cast

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Executor, Outcome, Task
from unlearnbench.run.environment import one_thread
from unlearnbench.run.store import Failure


@dataclass(frozen=True)
class ProcessExecutor(Executor):
    """Do tasks in ``workers`` processes; ``work`` and tasks must go through pickle.

    The outcome of a task whose worker died is a :class:`Failure` with status ``crashed``; another worker takes its
    place. When this process ends, however it ends, the workers end too.
    """

    workers: int = 2

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UserError(f"workers: must be at least 1, not {self.workers}")

    def run(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task with its outcome as it is done. UserError where a worker cannot load what it needs."""
        left = list(reversed(tasks))
        pool: list[_Worker] = []
        try:
            with one_thread():  # its environment is what workers start with, before they import anything
                pool += [_Worker(work, left.pop()) for _ in range(min(self.workers, len(left)))]
                while pool:
                    for worker in _ready(pool):
                        yield cast(Task, worker.task), cast(Outcome, worker.outcome())
                        if left and worker.process.is_alive():
                            worker.give(left.pop())
                        else:
                            worker.stop()
                            pool.remove(worker)
                            pool += [_Worker(work, left.pop())] if left else []
        finally:
            for worker in pool:
                worker.stop()


class _Worker:
    """One process and the task it holds."""

    def __init__(self, work: Callable[[Any], Any], task: object) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process: SpawnProcess = context.Process(target=_serve, args=(other, work), daemon=True)
        self.process.start()
        other.close()  # only the worker holds its end, so that its death reads as the end of the pipe
        self.give(task)

    def give(self, task: object) -> None:
        """Hand over the next task. A worker that is gone is noticed when its outcome is read."""
        self.task = task
        with suppress(BrokenPipeError):
            self.pipe.send(task)

    def outcome(self) -> object:
        """Return what became of the task."""
        try:
            outcome = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            return Failure("crashed", f"its worker process {_death(self.process.exitcode)}")
        if isinstance(outcome, UserError):
            raise outcome
        return outcome

    def stop(self) -> None:
        """End the process at once; it keeps nothing that could be lost."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _ready(pool: Sequence[_Worker]) -> list[_Worker]:
    ready = wait([worker.pipe for worker in pool])
    return [worker for worker in pool if worker.pipe in ready]


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"exited with {code}"


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Do tasks until told to stop: what runs in a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with one_thread():
        while True:
            try:
                pipe.send(_done(work, pipe.recv()))
            except (EOFError, BrokenPipeError):
                return


def _done(work: Callable[[Any], Any], task: object) -> object:
    try:
        return work(task)
    except UserError as error:  # not of the task: what the worker needs is not there
        return UserError(str(error))


def _end_with_parent() -> None:
    """End this process when its parent is gone, in the middle of a task if need be."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
