"""The children of one executor: who is busy, who is idle, and what becomes of the pack of one that ended."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Final

from unlearnbench.builtin.executors.child import Child, Inbox
from unlearnbench.builtin.executors.memory import memory_by_group
from unlearnbench.builtin.executors.packs import Packs
from unlearnbench.builtin.executors.serving import Report
from unlearnbench.core.errors import UserError
from unlearnbench.core.limits import Limits

LOOK: Final = 0.1
"""Seconds between two looks at the limits: what a task may exceed them by."""
PAUSE: Final = 1.0
"""Seconds without a look that mean that this process was stopped, or busy with the store."""
PATIENCE: Final = 1.0
"""Seconds in which a process whose pipe has ended may end by itself, which tells how."""


class Crew:
    """The worker processes of an executor."""

    def __init__(self) -> None:
        self.busy: list[Child] = []
        self.idle: list[Child] = []
        self.peak = 0
        """The peak memory of the largest worker so far, in bytes."""
        self.measured = False
        """Whether a task has been done, so that ``peak`` is that of a worker with its data sets loaded."""
        self._inbox: Inbox = SimpleQueue()
        self._looked = 0.0

    def give_next(self, packs: Packs[Any], work: bytes) -> bool:
        """Have an idle worker or a new one do the next pack; return whether there was one."""
        wanted = self.idle[-1].share if self.idle else None
        found = packs.take(wanted, {child.share for child in self.busy})
        if found is None:
            return False
        self._give(self.idle.pop() if self.idle else Child(self._inbox), work, *found)
        return True

    def _give(self, child: Child, work: bytes, share: Any, tasks: list[Any]) -> None:
        if not self.busy:
            self._looked = monotonic()
        self.busy.append(child)
        child.give(work, share, tasks)

    def shrink(self, most: int) -> None:
        """Stop idle workers until there are at most so many."""
        excess = max(0, len(self.busy) + len(self.idle) - most)
        stopped, self.idle = self.idle[:excess], self.idle[excess:]
        for child in stopped:
            child.stop()

    def stop_busy(self) -> None:
        """Stop the workers whose packs are not wanted any more."""
        stopped, self.busy = self.busy, []
        for child in stopped:
            child.stop()

    def next_outcomes(self, packs: Packs[Any], work: bytes, limits: Limits) -> list[tuple[Any, Any]]:
        """Wait a moment for a report; return the task that it ends with its outcome, if it ends one."""
        if (found := self._next_report(limits)) is None:
            return []
        child, report = found
        if child not in self.busy:
            self._forget(child)
            return []
        if report is None:
            return self._ended(child, packs, work)
        self.peak = max(self.peak, report.peak)
        done = child.take(report)
        for task, _ in done:
            self.measured = True
            packs.done(task)
        if not child.pack:
            self.busy.remove(child)
            self.idle.append(child)
        return done

    def _next_report(self, limits: Limits) -> tuple[Child, Report | None] | None:
        if monotonic() > self._looked + LOOK:
            self._look(limits)
        with suppress(Empty):
            return self._inbox.get(timeout=LOOK)
        return None

    def _look(self, limits: Limits) -> None:
        """Enforce the limits of all workers. After a pause of this process, reports may first have to arrive."""
        if monotonic() > self._looked + PAUSE:
            sleep(LOOK)
        held: Mapping[int, int] = memory_by_group() if limits.memory else {}
        for child in [*self.busy, *self.idle]:
            child.enforce(limits, held)
            if child.ended_for() > PATIENCE:  # a process that left its group holds the pipe open
                self._inbox.put((child, None))
        self._looked = monotonic()

    def _forget(self, child: Child) -> None:
        """Drop a worker that ended while idle. What one that was stopped had reported before comes too late."""
        if child in self.idle:
            self.idle.remove(child)
            child.stop()

    def _ended(self, child: Child, packs: Packs[Any], work: bytes) -> list[tuple[Any, Any]]:
        """Find out what a worker's end costs. Its task is tried again if others went before it in that process."""
        child.stop(PATIENCE)
        self.busy.remove(child)
        if not child.started:
            raise UserError(child.why_it_did_not_start())
        task, *rest = child.pack
        packs.put_back(child.share, rest)
        if child.done:
            self._give(Child(self._inbox), work, child.share, [task])
            return []
        packs.done(task)
        return [(task, child.why_it_ended())]
