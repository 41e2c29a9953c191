"""The contract of executors: where the work of a run is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from unlearnbench.core.messages import message_of

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")
TaskOfWork = TypeVar("TaskOfWork", contravariant=True)
OutcomeOfWork = TypeVar("OutcomeOfWork", covariant=True)


@dataclass(frozen=True)
class Failure:
    """Why a task has no result."""

    status: Literal["failed", "crashed"]
    """``failed``: a plug-in raised an exception. ``crashed``: the process that did the task ended."""
    reason: str
    """One line of at most 300 characters, whatever the exception said."""
    traceback: str = ""
    """Where the exception was raised, for the author of the plug-in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", message_of(self.reason))


class Work(Protocol[TaskOfWork, OutcomeOfWork]):
    """What is to be done with each task of a run: the episodes of an original, or the evaluation of a group of cells.

    Work and tasks go through ``pickle`` and are small: they hold names, parameters and keys. In another process, the
    work loads its plug-ins and data sets at its first call, and keeps them for the next. Outcomes go through ``pickle``
    too; an episode's holds its arrays. Only the process that runs the executor writes to the store.

    The work that evaluates cells reads episodes from the store by its path. So all processes must share that file
    system.
    """

    def __call__(self, task: TaskOfWork, /) -> OutcomeOfWork:
        """Return the outcome of a task. What goes wrong with the task itself is an outcome: a :class:`Failure`.

        Raises :class:`UserError` where no task can be done here, for example because a plug-in is not installed. An
        executor passes this error on, which ends the run.
        """

    def kernels(self, task: TaskOfWork, /) -> str:
        """Return the name of the kernels that a task compiles if it is the first to need them, "" for none.

        Compiled kernels are cached on disk. An executor that does tasks in parallel should let the first task of each
        name finish before it starts the others: started together, each would compile the same kernels.
        """


class Executor(ABC):
    """Does tasks, in any order, anywhere. Results never depend on which executor did them."""

    @abstractmethod
    def run(self, work: Work[Task, Outcome], tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome as soon as it is done.

        The outcome of a task that is lost, for example because its process was killed, is a :class:`Failure` with the
        status ``crashed``; the other tasks go on. Raises :class:`UserError` where no task can be done at all.
        """
