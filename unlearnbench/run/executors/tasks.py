"""Which task is next: the order given, but the first of those that compile the same kernels goes ahead alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic

from unlearnbench.core.executors import Task


class Queue(Generic[Task]):
    """Tasks to do. ``kernels`` names what a task compiles when it is the first to, "" for nothing.

    The machine code of kernels is kept on disk, so what one worker has compiled all others load. Started together on
    a cold cache, each would compile the same for itself. So tasks wait while the first with their kernels is at work,
    and those of other models go ahead of them. A rehearsal in the parent would do as well, but a plug-in that brings
    its process down must not bring down the run; and whether a cache is warm, numba does not tell.
    """

    def __init__(self, tasks: Sequence[Task], kernels: Callable[[Task], str]) -> None:
        self._left = list(tasks)
        self._kernels = kernels
        self._tried: set[str] = set()
        self._compiling: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self) -> Task | None:
        """Return the next task that need not wait, if there is one."""
        place = next((i for i, task in enumerate(self._left) if self._kernels(task) not in self._compiling), None)
        if place is None:
            return None
        task = self._left.pop(place)
        if (kernels := self._kernels(task)) and kernels not in self._tried:
            self._compiling.add(kernels)
        return task

    def done(self, task: Task) -> None:
        """Let go those that waited for a task; even if it failed, they could wait forever for a better one."""
        self._tried.add(self._kernels(task))
        self._compiling.discard(self._kernels(task))
