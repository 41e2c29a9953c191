"""Which tasks a worker process does next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from typing import Any, Final, Generic

from unlearnbench.core.executors import Task, Work

MOST: Final = 16
"""The most tasks of a pack: outcomes that wait for the writer of the store are held in memory."""


class Packs(Generic[Task]):
    """Tasks to do, in packs that share something, in the order given, except for kernels that are compiled first.

    Compiled kernels are cached on disk: what one worker has compiled, all others load. So the first task with its
    kernels is done alone, tasks with the same kernels wait for it, and tasks with other kernels go ahead of them.

    The parent process does not compile the kernels beforehand: a plug-in that crashes would end the run. Whether the
    cache holds the kernels already cannot be asked of numba.
    """

    def __init__(self, tasks: Sequence[Task], work: Work[Task, Any]) -> None:
        self._kernels = work.kernels
        self._left: dict[Hashable, deque[Task]] = {}
        for number, task in enumerate(tasks):
            share = work.shared(task)
            self._left.setdefault((number,) if share is None else share, deque()).append(task)
        self._compiled: set[str] = {""}
        self._compiling: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(
        self,
        wanted: Hashable,
        taken: Collection[Hashable],
        most: int = MOST,
        fits: Callable[[Task], bool] = lambda _: True,
    ) -> tuple[Hashable, list[Task]] | None:
        """Return the next pack with what its tasks share, or None where all must wait.

        It is one of the ``wanted`` share if any is left, and never one of the shares that others have ``taken``. It has
        at most so many tasks, which ``fits`` finds fit for whoever asks.
        """
        share = wanted if wanted in self._left and fits(self._left[wanted][0]) else self._next(taken, fits)
        if share is None:
            return None
        tasks = self._left[share]
        kernels = self._kernels(tasks[0])
        if kernels not in self._compiled:
            self._compiling.add(kernels)
            most = 1
        pack = [tasks.popleft() for _ in range(min(most, len(tasks)))]
        if not tasks:
            del self._left[share]
        return share, pack

    def _next(self, taken: Collection[Hashable], fits: Callable[[Task], bool]) -> Hashable:
        free = (share for share, tasks in self._left.items() if share not in taken and fits(tasks[0]))
        return next((share for share in free if self._kernels(self._left[share][0]) not in self._compiling), None)

    def put_back(self, share: Hashable, tasks: Iterable[Task]) -> None:
        """Take tasks back that were not done; they come before what is left of their share."""
        if returned := [*tasks, *self._left.get(share, ())]:
            self._left[share] = deque(returned)

    def done(self, task: Task) -> None:
        """Release the tasks that waited for this one's kernels; also if it failed."""
        self._compiled.add(self._kernels(task))
        self._compiling.discard(self._kernels(task))
