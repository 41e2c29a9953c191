"""The contract of executors: where the work of a run is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class Executor(ABC):
    """Does tasks, in any order, anywhere. Results never depend on which executor did them."""

    @abstractmethod
    def run(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task with its outcome as it is done. ``work`` raises nothing that belongs to a task."""
