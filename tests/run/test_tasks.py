"""Of the tasks that compile the same, the first goes ahead alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.run.executors.tasks import Queue


def first_letter(task: str) -> str:
    return task[0].strip("-")


def test_tasks_come_in_order_where_nothing_is_compiled() -> None:
    queue = Queue(["-1", "-2", "-3"], first_letter)
    assert [queue.take() for _ in range(4)] == ["-1", "-2", "-3", None]
    assert not queue


def test_others_with_the_same_kernels_wait_until_the_first_is_done() -> None:
    queue = Queue(["a1", "a2", "b1", "a3", "-1"], first_letter)
    assert [queue.take() for _ in range(4)] == ["a1", "b1", "-1", None]
    queue.done("b1")
    assert queue.take() is None
    queue.done("a1")
    assert [queue.take(), queue.take(), queue.take()] == ["a2", "a3", None]


@given(tasks=st.lists(st.text("ab-", min_size=1), max_size=12), workers=st.integers(1, 4), data=st.data())
def test_every_task_is_done_once_whatever_the_order_they_end_in(
    tasks: list[str], workers: int, data: st.DataObject
) -> None:
    queue, busy, done = Queue(tasks, first_letter), [], []
    while queue or busy:
        while len(busy) < workers and (task := queue.take()) is not None:
            busy.append(task)
        first = {first_letter(task) for task in busy} - {first_letter(task) for task in done} - {""}
        assert all(sum(first_letter(task) == kernels for task in busy) == 1 for kernels in first)
        done.append(busy.pop(data.draw(st.integers(0, len(busy) - 1))))
        queue.done(done[-1])
    assert sorted(done) == sorted(tasks)
