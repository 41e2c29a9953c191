"""One process that does packs of tasks and can be ended at any moment, whatever runs in it.

Children are spawned, never forked, because this process may have threads. What goes through the pipes is pickled by
multiprocessing. Both ends are our own processes, so this is no boundary of trust, and nothing pickled is kept.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from multiprocessing.context import SpawnProcess
from queue import SimpleQueue
from time import monotonic
from typing import Any

from unlearnbench.builtin.executors.serving import Report, serve
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure
from unlearnbench.core.limits import Limits
from unlearnbench.engine.workers import UNGUARDED, how_ended

Inbox = SimpleQueue[tuple["Child", Report | None]]
"""The reports of all children; None for one whose process has ended."""


class Child:
    """A process, and the pack of tasks that it does."""

    def __init__(self, inbox: Inbox) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self.process: SpawnProcess = context.Process(target=serve, args=(other,), daemon=True)
        self.process.start()
        other.close()  # only the child holds its end, so that its death reads as the end of the pipe
        self._reader = threading.Thread(target=self._read, args=(inbox,), daemon=True)
        self._reader.start()
        self._excess: Failure | None = None
        self._ended: float | None = None
        """When its process was first seen to have ended."""
        self._since = 0.0
        """When it began its task, in seconds of :func:`time.monotonic`."""
        self._received = self._taken = 0
        """How many reports have arrived, and how many of them were taken."""
        self._begun = False
        """Whether it has begun its pack."""
        self.started = False
        """Whether it has ever begun one."""
        self.pack: deque[Any] = deque()
        """The tasks that are left of its pack; the first is being done."""
        self.share: Hashable = None
        """What the tasks of its last pack shared."""
        self.done = 0
        """How many tasks it has done."""

    def _read(self, inbox: Inbox) -> None:
        """Pass reports on. A thread does, because a child may stop in the middle of one."""
        while True:
            try:
                report: Report = self._pipe.recv()
            except Exception:  # noqa: BLE001 - a process that ends may leave anything in its pipe
                inbox.put((self, None))
                return
            self._since = monotonic()
            self._received += 1
            inbox.put((self, report))

    def give(self, work: bytes, share: Hashable, tasks: Iterable[object]) -> None:
        """Hand over the next pack. A child that is gone is noticed when its report is read."""
        self.share, self.pack, self._begun = share, deque(tasks), False
        with suppress(OSError):
            self._pipe.send((work, list(self.pack)))

    def take(self, report: Report) -> list[tuple[Any, object]]:
        """Return the task that was done, if one was, with its outcome. UserError where no task can be done at all."""
        self._taken += 1
        if not self._begun:
            self._begun = self.started = True
            return []
        if isinstance(report.outcome, UserError):
            raise report.outcome
        self.done += 1
        return [(self.pack.popleft(), report.outcome)]

    def enforce(self, limits: Limits, held: Mapping[int, int]) -> None:
        """End the process if its task exceeds a limit; ``held`` are the bytes of each process group.

        A process that ended by itself may have left others that hold its pipe open; they are ended too.
        """
        at_work = self.pack and self._begun and self._received == self._taken
        if at_work and self._excess is None:
            self._excess = self._over_time(limits.timeout) or self._over_memory(limits.memory, held)
        if self.process.exitcode is not None:
            self._ended = self._ended or monotonic()
        if self._excess or self._ended:
            self._kill()

    def ended_for(self) -> float:
        """Return how many seconds ago its process was seen to have ended; 0 if it was not."""
        return monotonic() - self._ended if self._ended else 0.0

    def _over_time(self, limit: float | None) -> Failure | None:
        if limit is None or monotonic() - self._since <= limit:
            return None
        return Failure("timeout", f"it took longer than {limit:g} s, the limit")

    def _over_memory(self, limit: int | None, held: Mapping[int, int]) -> Failure | None:
        now = held.get(self.process.pid or 0, 0)
        if limit is None or now <= limit:
            return None
        return Failure("out of memory", f"its process held {_mb(now)} MB; the limit is {_mb(limit)} MB")

    def why_it_ended(self) -> Failure:
        """Return the failure of the task in whose middle the process ended."""
        return self._excess or Failure("crashed", f"its process {how_ended(self.process.exitcode)}")

    def why_it_did_not_start(self) -> str:
        """Return why the process ended before its first task: so would all others."""
        if self.process.exitcode == UNGUARDED:
            return (
                "each worker process imports the script that starts it, which would start the run again; "
                'put the call that runs the suite below the line: if __name__ == "__main__":'
            )
        return f"a worker process {how_ended(self.process.exitcode)} before its first task"

    def stop(self, patience: float = 0.0) -> None:
        """End the process and all that it started, after so many seconds; it keeps nothing that could be lost."""
        self.process.join(patience)
        self._kill()
        self.process.join()
        self._reader.join(1)
        if not self._reader.is_alive():  # a process that left its group may hold the pipe open for ever
            self._pipe.close()

    def _kill(self) -> None:
        with suppress(OSError, AttributeError):  # it has no group yet, or the system has no groups
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.kill()


def _mb(number: int) -> int:
    return round(number / 10**6)
