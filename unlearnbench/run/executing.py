"""Tasks through an executor: what it yields is checked, and a fault of its own is told in one line."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol, TypeVar

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.executors import Executor, Failure, Outcome, Work
from unlearnbench.core.limits import Limits


class Keyed(Protocol):
    """A task with the key that its outcome is stored under."""

    @property
    def key(self) -> str:
        """The key, which no other task has."""


KeyedTask = TypeVar("KeyedTask", bound=Keyed)


def outcomes(
    executor: Executor, work: Work[KeyedTask, Outcome], tasks: Sequence[KeyedTask], limits: Limits, kind: type[Outcome]
) -> Iterator[tuple[KeyedTask, Outcome | Failure]]:
    """Yield each task with its outcome, of this kind or a failure, as soon as the executor yields it.

    UserError where the executor raises an exception, or yields what is none of these tasks, one twice, or not all. What
    it yielded before counts.
    """
    left = {task.key: task for task in tasks}
    with closing(_done(executor, work, tasks, limits)) as done:
        for given in done:
            yield _checked(executor, given, left, kind)
    if left:
        raise _fault(executor, f"it ended without {len(left)} of {len(tasks)} tasks")


def _done(executor: Executor, work: Work[KeyedTask, Any], tasks: Sequence[KeyedTask], limits: Limits) -> Generator[Any]:
    with _errors_told(executor):
        yield from executor.run(work, tasks, limits)


def _checked(executor: Executor, given: Any, left: dict[str, KeyedTask], kind: type[Outcome]) -> Any:
    """Return our own task with its outcome, and take it from those that are ``left``."""
    try:
        task, outcome = given
        own = left.pop(task.key)
    except (TypeError, ValueError, AttributeError, KeyError):
        raise _fault(executor, "it yields what is no task with its outcome, or a task twice") from None
    if not isinstance(outcome, kind | Failure):
        wanted = f"a {kind.__name__} or a Failure"
        raise _fault(executor, f"it yields a {type(outcome).__name__} as an outcome, which must be {wanted}")
    return own, outcome


@contextmanager
def closed_after(executor: Executor) -> Iterator[None]:
    """Free in the end what an executor keeps; UserError where it cannot."""
    try:
        yield
    finally:
        with _errors_told(executor):
            executor.close()


@contextmanager
def _errors_told(executor: Executor) -> Iterator[None]:
    """Tell in one line what an executor's own code raises; its author finds the place in the cause."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise _fault(executor, describe_error(error)) from error


def _fault(executor: Executor, what: str) -> UserError:
    return UserError(f"the executor {type(executor).__name__} failed: {what}; what was done is kept")
