"""What an executor yields is checked; a fault of its own is one line, and what it did before is kept."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import NO_LIMITS, Executor, Failure
from unlearnbench.run.executing import closed_after, outcomes

if TYPE_CHECKING:
    from tests.run.conftest import Lab

Findings = Callable[[Any], dict[str, object]]


@dataclass(frozen=True, eq=False)
class Named:
    """A task, which equals no copy of itself."""

    key: str


class Length:
    """Work whose outcomes are numbers."""

    def __call__(self, task: Named, /) -> int:
        return len(task.key)

    def shared(self, task: Named, /) -> None:
        return None

    def kernels(self, task: Named, /) -> str:
        return ""

    def device(self, task: Named, /) -> str:
        return "cpu"

    def portable(self, tasks: Sequence[Named], /) -> Length:
        return self

    def fingerprint(self) -> dict[str, str]:
        return {}


class Made(Executor):
    """An executor that does what a function does."""

    def __init__(self, run: Callable[[Any, Sequence[Any]], Any]) -> None:
        self._run = run

    def run(self, work: Any, tasks: Sequence[Any], limits: object = NO_LIMITS) -> Iterator[Any]:
        made: Iterator[Any] = self._run(work, tasks)
        return made


TASKS = [Named("a"), Named("bb"), Named("ccc")]


def done(run: Callable[[Any, Sequence[Any]], Any]) -> list[tuple[Named, int | Failure]]:
    return [*outcomes(Made(run), Length(), TASKS, NO_LIMITS, int)]


def test_tasks_come_with_their_outcomes_in_the_order_of_the_executor() -> None:
    assert done(lambda work, tasks: ((task, work(task)) for task in reversed(tasks))) == [
        (task, len(task.key)) for task in reversed(TASKS)
    ]


def test_a_copy_of_a_task_stands_for_the_task() -> None:
    copies = done(lambda work, tasks: ((pickle.loads(pickle.dumps(task)), work(task)) for task in tasks))  # noqa: S301 - our own
    assert [task for task, _ in copies] == TASKS


def test_a_failure_is_an_outcome() -> None:
    failure = Failure("crashed", "its process exited with 3")
    assert [outcome for _, outcome in done(lambda _, tasks: ((task, failure) for task in tasks))] == [failure] * 3


def raises_later(work: Any, tasks: Sequence[Any]) -> Iterator[Any]:
    yield tasks[0], work(tasks[0])
    raise RuntimeError("the queue is\nclosed")


NO_TASK = "it yields what is no task with its outcome, or a task twice"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda *_: 1 / 0, "ZeroDivisionError: division by zero"),
        (raises_later, "RuntimeError: the queue is closed"),
        (lambda *_: None, "TypeError: 'NoneType' object is not iterable"),
        (lambda *_: [1], NO_TASK),
        (lambda *_: [None], NO_TASK),
        (lambda *_: [(Named("other"), 1)], NO_TASK),
        (lambda *_: [("a", 1)], NO_TASK),
        (lambda _, tasks: [(tasks[0], 1), (tasks[0], 1)], NO_TASK),
        (lambda _, tasks: [(tasks[0], 1)], "it ended without 2 of 3 tasks"),
        (lambda _, tasks: [(tasks[0], "1")], "it yields a str as an outcome, which must be a int or a Failure"),
    ],
)
def test_a_fault_of_an_executor_is_one_line_that_names_it(run: Callable[[Any, Sequence[Any]], Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        done(run)
    assert str(caught.value) == f"the executor Made failed: {said}; what was done is kept"


def test_an_error_of_the_user_stays_what_it_is() -> None:
    def refuses(*_: object) -> Iterator[Any]:
        raise UserError("no worker has a GPU")

    with pytest.raises(UserError, match=r"^no worker has a GPU$"):
        done(refuses)


def test_an_executor_is_closed_and_what_it_raises_then_is_one_line() -> None:
    class Stuck(SerialExecutor):
        def close(self) -> None:
            raise OSError(5, "Input/output error")

    said = r"^the executor Stuck failed: OSError: \[Errno 5\] Input/output error; "
    with pytest.raises(UserError, match=said), closed_after(Stuck()):
        pass


def test_an_error_of_the_caller_is_none_of_the_executor() -> None:
    def each() -> None:
        for _ in outcomes(Made(lambda work, tasks: ((task, 1) for task in tasks)), Length(), TASKS, NO_LIMITS, int):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        each()


def test_what_an_executor_did_before_its_fault_is_kept_and_the_next_run_goes_on(lab: Lab, findings: Findings) -> None:
    with pytest.raises(UserError, match="the queue is closed"):
        lab.run(executor=Made(raises_later))
    (kept,) = (lab.folder / "store").glob("episode-*/*/*")
    before = kept.stat().st_mtime_ns
    again = lab.run()
    assert kept.stat().st_mtime_ns == before
    assert findings(again) == findings(lab.run("undisturbed"))
