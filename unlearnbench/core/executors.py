"""The contract of executors: where the work of a run is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar, get_args

from unlearnbench.core.limits import Limits
from unlearnbench.core.messages import message_of

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")
TaskOfWork = TypeVar("TaskOfWork", contravariant=True)
OutcomeOfWork = TypeVar("OutcomeOfWork", covariant=True)

FailureStatus = Literal["failed", "crashed", "timeout", "out of memory"]
FAILURES: Final[tuple[FailureStatus, ...]] = get_args(FailureStatus)
NO_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Failure:
    """Why a task has no result."""

    status: FailureStatus
    """``failed``: a plug-in raised an exception. ``crashed``: the process that did the task ended. ``timeout`` and
    ``out of memory``: the task exceeded a limit, or memory could not be allocated."""
    reason: str
    """One line of at most 300 characters, whatever the exception said."""
    traceback: str = ""
    """Where the exception was raised, for the author of the plug-in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", message_of(self.reason))


class Work(Protocol[TaskOfWork, OutcomeOfWork]):
    """What is to be done with each task of a run: an episode to make, or a cell to evaluate.

    Work and tasks go through ``pickle`` and are small: they hold names, parameters and keys. In another process, the
    work loads its plug-ins and data sets at its first call, and keeps them for the next. Outcomes go through ``pickle``
    too; an episode's holds its arrays. Only the process that runs the executor writes to the store.

    The work that evaluates cells reads episodes from the store by its path, which processes of one machine share. On
    another machine tasks are done by what :meth:`portable` returns, if :meth:`fingerprint` is there what it is here.
    """

    def __call__(self, task: TaskOfWork, /) -> OutcomeOfWork:
        """Return the outcome of a task. What goes wrong with the task itself is an outcome: a :class:`Failure`.

        Raises :class:`UserError` where no task can be done here, for example because a plug-in is not installed. An
        executor passes this error on, which ends the run.
        """

    def shared(self, task: TaskOfWork, /) -> Hashable:
        """Return what a task shares with others, such as the original that their episodes start from.

        The work keeps what the last task shared. So tasks that share it should be done one after the other in one
        process; otherwise it is made again, with equal results.
        """

    def kernels(self, task: TaskOfWork, /) -> str:
        """Return the name of the kernels that a task compiles if it is the first to need them, "" for none.

        Compiled kernels are cached on disk. An executor that does tasks in parallel should let the first task of each
        name finish before it starts the others: started together, each would compile the same kernels.
        """

    def device(self, task: TaskOfWork, /) -> str:
        """Return the device that a task computes on: "cpu", "cuda" or "mps"."""

    def portable(self, tasks: Sequence[TaskOfWork], /) -> Work[TaskOfWork, OutcomeOfWork]:
        """Return work that does the same with these tasks and reads no file of this run.

        It holds what they read from the store. Plug-ins and data sets are not in it: each machine has its own.
        """

    def fingerprint(self) -> Mapping[str, str]:
        """Return what the results of this work depend on in this process: versions, processor, code; all by name.

        Where two fingerprints are equal, results are equal to the bit. Raises :class:`UserError` where this process
        finds other plug-ins or data sets than the work was made with.
        """


class Executor(ABC):
    """Does tasks, in any order, anywhere. Results never depend on which executor did them."""

    @abstractmethod
    def run(
        self, work: Work[Task, Outcome], tasks: Sequence[Task], limits: Limits = NO_LIMITS
    ) -> Iterator[tuple[Task, Outcome | Failure]]:
        """Yield each task with its outcome as soon as it is done.

        Tasks that share something follow each other. The outcome of a task that exceeded a limit, or whose process was
        killed, is a :class:`Failure`; the other tasks go on. Raises :class:`UserError` where no task can be done at
        all, or where limits are given that cannot be enforced.
        """

    def close(self) -> None:  # noqa: B027 - most executors keep nothing
        """Free what is kept from one call of :meth:`run` to the next, such as processes; may be called again."""
