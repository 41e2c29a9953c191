"""Packs that were being done on a worker that was lost: they are split, until what takes down workers is alone."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from unlearnbench.core.executors import Failure

TRIES: Final = 3
"""How many workers a task may take down alone: machines are lost without anybody's fault, too."""
Pack = tuple[Hashable, list[Any]]
"""What the tasks share, and the tasks."""


class Suspects:
    """Packs of which a task may have taken down a worker."""

    def __init__(self) -> None:
        self._packs: deque[Pack] = deque()
        self._alone: Counter[int] = Counter()

    def __bool__(self) -> bool:
        return bool(self._packs)

    def add(self, share: Hashable, tasks: Sequence[Any]) -> list[tuple[Any, Failure]]:
        """Take the halves of a pack, or the one task; return it as failed if it was alone too often."""
        if len(tasks) == 1:
            self._alone[id(tasks[0])] += 1
            if self._alone[id(tasks[0])] >= TRIES:
                return [(tasks[0], Failure("crashed", f"{TRIES} workers were lost while they did it"))]
        half = (len(tasks) + 1) // 2
        self._packs.extend((share, list(part)) for part in (tasks[:half], tasks[half:]) if part)
        return []

    def take(self, fits: Callable[[Any], bool]) -> Pack | None:
        """Return the first pack whose tasks fit, if there is one."""
        for number, (_, tasks) in enumerate(self._packs):
            if fits(tasks[0]):
                found = self._packs[number]
                del self._packs[number]
                return found
        return None
