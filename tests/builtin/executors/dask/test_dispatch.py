"""Who gets which pack, and what becomes of the packs of workers that are lost, refused or late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builtin.executors.dask.fakes import FakeCluster, Task, outcomes, right
from unlearnbench.builtin.executors.dask import dispatch
from unlearnbench.builtin.executors.dask.cluster import Worker
from unlearnbench.builtin.executors.dask.dispatch import WINDOW
from unlearnbench.builtin.executors.dask.pace import LARGEST
from unlearnbench.builtin.executors.dask.remote import Answer
from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Failure

Fake = Callable[..., FakeCluster]
TASKS: list[Task] = [(share, "say", number) for number, share in enumerate("aaaabbbbccccdddd")]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeCluster]:
    """Return what makes a cluster with so many workers, all of whose packs succeed unless a test says otherwise."""
    monkeypatch.setattr(dispatch, "LOOK", 0.0)

    def make(n: int = 2, answer: Any = None, gpu: Sequence[str] = (), **places: str) -> FakeCluster:
        names = [f"w{number}" for number in range(n)]
        present = {name: Worker(1, name in gpu) for name in names}
        return FakeCluster(present, answer or (lambda cluster, worker, tasks: right(tasks)), places)

    return make


def test_each_task_comes_home_once_and_every_worker_has_work(fake: Fake) -> None:
    cluster = fake(3)
    assert outcomes(cluster, TASKS) == {task: task[2] for task in TASKS}
    assert {worker for worker, _ in cluster.packs} == {"w0", "w1", "w2"}
    assert sorted(cluster.asked) == ["w0", "w1", "w2"]


def test_a_pack_shares_something_and_stays_with_its_worker(fake: Fake) -> None:
    cluster = fake(2)
    outcomes(cluster, TASKS)
    at = {share: {worker for worker, tasks in cluster.packs if tasks[0][0] == share} for share in "abcd"}
    assert all(len({task[0] for task in tasks}) == 1 for _, tasks in cluster.packs)
    assert all(len(workers) == 1 for workers in at.values())


def test_packs_grow_while_they_are_short(fake: Fake) -> None:
    cluster = fake(1, lambda cluster, worker, tasks: Answer([task[2] for task in tasks], 0.001))
    outcomes(cluster, [("a", "say", number) for number in range(1000)])
    sizes = [len(tasks) for _, tasks in cluster.packs]
    assert sizes[:3] == [1, 1, 2]
    assert max(sizes) == LARGEST


def test_a_worker_has_at_most_two_packs(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = fake(2, lambda *_: None)
    looks = iter([cluster.present] * 9)
    monkeypatch.setattr(cluster, "workers", lambda: next(looks, {}))
    with pytest.raises(UserError, match="has no worker"):
        outcomes(cluster, TASKS)
    assert sorted(worker for worker, _ in cluster.packs) == ["w0"] * WINDOW + ["w1"] * WINDOW


def test_a_worker_that_differs_is_not_used_and_both_sides_are_named(
    fake: Fake, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = fake(3, w1="elsewhere")
    with caplog.at_level(logging.WARNING):
        assert outcomes(cluster, TASKS) == {task: task[2] for task in TASKS}
    assert {worker for worker, _ in cluster.packs} == {"w0", "w2"}
    assert caplog.messages == ["the worker w1 is not used: place is elsewhere there and here here"]


def test_where_all_workers_differ_the_run_ends(fake: Fake) -> None:
    with pytest.raises(UserError, match=r"all 2 workers .* differ.*: w.: place is elsewhere there and here here"):
        outcomes(fake(2, w0="elsewhere", w1="elsewhere"), TASKS)


def test_a_worker_that_joins_late_is_asked_too(fake: Fake) -> None:
    def answer(cluster: FakeCluster, worker: str, tasks: list[Task]) -> Answer:
        cluster.present |= {"late": Worker(1, False), "other": Worker(1, False)}
        return right(tasks)

    cluster = fake(1, answer, other="elsewhere")
    outcomes(cluster, TASKS)
    assert sorted(cluster.asked) == ["late", "other", "w0"]
    assert {worker for worker, _ in cluster.packs} == {"w0", "late"}


def test_a_worker_with_several_threads_is_not_used(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    cluster = fake(2)
    cluster.present["w0"] = Worker(4, False)
    outcomes(cluster, TASKS)
    assert cluster.asked == ["w1"]
    assert "it has 4 threads; start workers with --nthreads 1" in caplog.text


def test_a_worker_that_cannot_work_any_more_is_left_and_its_packs_are_done_elsewhere(fake: Fake) -> None:
    def answer(cluster: FakeCluster, worker: str, tasks: list[Task]) -> Answer:
        return Answer(refusal="the disk is full") if worker == "w0" else right(tasks)

    cluster = fake(2, answer)
    assert outcomes(cluster, TASKS) == {task: task[2] for task in TASKS}
    assert [worker for worker, _ in cluster.packs].count("w0") <= WINDOW


def test_where_no_worker_can_work_the_last_reason_ends_the_run(fake: Fake) -> None:
    with pytest.raises(UserError, match="no plug-in to do this with"):
        outcomes(fake(2, lambda *_: Answer(refusal="no plug-in to do this with")), TASKS)


def test_no_worker_at_all_is_no_reason_to_wait_for_ever(fake: Fake) -> None:
    with pytest.raises(UserError, match=r"has no worker; start some, for example: dask worker --nthreads 1"):
        outcomes(fake(0), TASKS)


def test_a_gpu_that_nobody_offers_is_no_reason_to_wait_for_ever(fake: Fake) -> None:
    with pytest.raises(
        UserError, match=r'needs a GPU, and no worker offers one: start workers with --resources "GPU=1"'
    ):
        outcomes(fake(2), [*TASKS, ("e", "gpu", 99)])


def test_gpu_tasks_go_to_workers_with_a_gpu_and_the_others_to_all(fake: Fake) -> None:
    cluster = fake(3, gpu=["w1"])
    tasks = [*TASKS, *(("e", "gpu", number) for number in range(20, 30)), ("f", "gpu", 40)]
    assert outcomes(cluster, tasks) == {task: task[2] for task in tasks}
    assert {worker for worker, packed in cluster.packs if packed[0][1] == "gpu"} == {"w1"}
    assert {worker for worker, packed in cluster.packs if packed[0][1] != "gpu"} >= {"w0", "w2"}


def replaced(cluster: FakeCluster, worker: str, names: count[int]) -> None:
    """Lose a worker; a new one comes in its place, as a nanny starts it."""
    del cluster.present[worker]
    cluster.present[f"new {next(names)}"] = Worker(1, False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workers=st.integers(1, 4),
    shares=st.lists(st.sampled_from("abc"), min_size=1, max_size=40),
    guilty=st.sets(st.integers(0, 39), max_size=3),
    unlucky=st.sets(st.integers(0, 30), max_size=5),
    seconds=st.floats(0.001, 1),
)
def test_workers_that_are_lost_cost_only_the_tasks_that_take_them_down(
    fake: Fake, workers: int, shares: list[str], guilty: set[int], unlucky: set[int], seconds: float
) -> None:
    """``unlucky`` packs lose their worker once, by no fault of theirs, while others wait there."""
    tasks: list[Task] = [(share, "say", number) for number, share in enumerate(shares)]
    names = count()

    def answer(cluster: FakeCluster, worker: str, packed: list[Task]) -> Answer | None:
        number = len(cluster.packs)
        if guilty.intersection(task[2] for task in packed) or (number in unlucky and len(packed) > 1):
            replaced(cluster, worker, names)
            return None
        return Answer([task[2] for task in packed], seconds * len(packed))

    found = outcomes(fake(workers, answer), tasks)
    crashed = Failure("crashed", "3 workers were lost while they did it")
    assert found == {task: crashed if task[2] in guilty else task[2] for task in tasks}
