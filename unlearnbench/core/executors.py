"""The contract of executors: where the tasks of a run are done, such as in processes or on a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class Executor(ABC):
    """Runs tasks, in any order. Results must not depend on the executor."""

    @abstractmethod
    def run(self, work: Callable[[Task], Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Yield each task with its outcome, as tasks finish. ``work`` does not raise: it returns failures."""
