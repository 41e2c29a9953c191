"""Of the tasks with the same kernels, the first is done alone; and how many workers fit into a memory limit."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.builtin.executors.scheduling import Queue, bytes_of, peak_memory, workers_within
from unlearnbench.core.errors import UserError


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
    queue = Queue(tasks, first_letter)
    busy: list[Any] = []
    done: list[Any] = []
    while queue or busy:
        while len(busy) < workers and (task := queue.take()) is not None:
            busy.append(task)
        first = {first_letter(task) for task in busy} - {first_letter(task) for task in done} - {""}
        assert all(sum(first_letter(task) == kernels for task in busy) == 1 for kernels in first)
        done.append(busy.pop(data.draw(st.integers(0, len(busy) - 1))))
        queue.done(done[-1])
    assert sorted(done) == sorted(tasks)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4_000_000_000), ("500 mb", 500_000_000), ("1.5GiB", 1_610_612_736), ("2TB", 2 * 10**12), ("1MiB", 2**20)],
)
def test_a_size_is_a_number_and_a_unit(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["lots", "", "4", "GB", "-4GB", "0GB", "4 giga", "4GB!", "1e3MB", "1.GB", "4 G B"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"is not a size; write a number and MB, .*, for example 4GB"):
        bytes_of(text)


def test_as_many_workers_as_fit_beside_this_process() -> None:
    assert workers_within(4000, own=500, worker=1000) == 3
    assert workers_within(1500, own=500, worker=1000) == 1


@given(memory=st.integers(2, 10**12), own=st.integers(0, 10**10), worker=st.integers(1, 10**10))
def test_workers_never_take_more_and_one_more_would(memory: int, own: int, worker: int) -> None:
    if own + worker > memory:
        with pytest.raises(UserError):
            workers_within(memory, own, worker)
    else:
        workers = workers_within(memory, own, worker)
        assert own + workers * worker <= memory < own + (workers + 1) * worker


def test_where_not_one_fits_the_least_that_would_do_is_told() -> None:
    with pytest.raises(UserError) as told:
        workers_within(10 * 10**6, own=120 * 10**6, worker=300 * 10**6)
    assert str(told.value) == (
        "memory: 10 MB is too little: one worker held 300 MB and this process 120 MB; allow at least 421 MB"
    )
    assert workers_within(421 * 10**6, own=120 * 10**6, worker=300 * 10**6) == 1


@pytest.mark.skipif(platform.system() == "Windows", reason="Windows does not tell")
def test_the_peak_counts_what_was_held_for_a_moment() -> None:
    before = peak_memory()
    ballast = np.ones(before // 8 + 10**7)  # as much as ever before, and 80 MB
    del ballast
    assert before + 60 * 10**6 < peak_memory() < 4 * before + 10**9
