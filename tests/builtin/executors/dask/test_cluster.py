"""A cluster that exists: what does not fit is told in one line, and what is lost is done again."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soak.runs import children, wait_until_gone
from tests.builtin.executors.dask.certificates import certificates
from tests.builtin.executors.dask.machines import Machines, wait_until
from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.core.errors import UserError

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are ended by their group"),
]

CHORES = """
import os, time

class Chore:
    def __init__(self, device="cpu"):
        self.wanted = device
    def __call__(self, task):
        if task[1] == 600:
            open(task[0], "w").close()
        time.sleep(task[1])
        return task[1]
    def shared(self, task):
        return task[0]
    def kernels(self, task):
        return ""
    def device(self, task):
        return self.wanted
    def portable(self, tasks):
        return self
    def fingerprint(self):
        return {"place": os.environ.get("PLACE", "here")}
"""
TASKS = [(share, number / 1000) for share in "abcd" for number in range(10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a module of work, which workers can import too."""
    folder = tmp_path_factory.mktemp("chores")
    (folder / "cluster_chores.py").write_text(CHORES)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    del sys.modules["cluster_chores"]


@pytest.fixture
def chore(folder: Path) -> Callable[..., Any]:
    made: Callable[..., Any] = importlib.import_module("cluster_chores").Chore
    return made


@pytest.fixture
def machines(folder: Path, tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path, [folder])
    yield made
    made.end()


@pytest.fixture
def executor(machines: Machines) -> Iterator[DaskExecutor]:
    made = DaskExecutor(scheduler_file=str(machines.file), patience=120.0)
    yield made
    made.close()


def right(done: Any) -> bool:
    return dict(done) == {task: task[1] for task in TASKS}


def test_a_scheduler_file_leads_to_the_cluster(machines: Machines, executor: DaskExecutor, chore: Any) -> None:
    machines.scheduler()
    machines.worker()
    assert right(executor.run(chore(), TASKS))
    assert right(executor.run(chore(), TASKS)), "over the same connection"
    executor.close()
    assert right(executor.run(chore(), TASKS)), "and over a new one"


def test_a_worker_that_is_killed_costs_nothing(machines: Machines, executor: DaskExecutor, chore: Any) -> None:
    machines.scheduler()
    killed, _ = machines.worker(), machines.worker()
    run = executor.run(chore(), tasks := [(share, 0.05) for share in map(str, range(60))])
    done = [next(run) for _ in range(10)]
    machines.kill(killed)
    assert sorted([*done, *run]) == sorted((task, task[1]) for task in tasks)


def test_a_scheduler_that_is_killed_ends_the_run_in_one_line(
    machines: Machines, executor: DaskExecutor, chore: Any
) -> None:
    scheduler = machines.scheduler()
    machines.worker()
    run = executor.run(chore(), [(share, 0.05) for share in map(str, range(60))])
    next(run)
    machines.kill(scheduler)
    with pytest.raises(UserError, match=r"^the scheduler is gone; what is done is stored, and the same command goes"):
        list(run)


def hanging(file: Path) -> tuple[str, int]:
    """Return a task that hangs; the file is there when it has begun."""
    return (str(file), 600)


def test_a_worker_stops_what_hangs_when_the_run_is_stopped(
    machines: Machines, executor: DaskExecutor, chore: Any, tmp_path: Path
) -> None:
    machines.scheduler()
    machines.worker()
    run = executor.run(chore(), [("quick", 0), hanging(tmp_path / "begun")])
    assert next(run) == (("quick", 0), 0)
    wait_until((tmp_path / "begun").exists)
    run.close()  # type: ignore[attr-defined]  # a generator
    assert right(executor.run(chore(), TASKS)), "by the one worker"


CLIENT = """
import sys
from cluster_chores import Chore
from unlearnbench.builtin.executors.dask.executor import DaskExecutor
if __name__ == "__main__":
    list(DaskExecutor(scheduler_file=sys.argv[1], patience=120.0).run(Chore(), [(sys.argv[2], 600)]))
"""


def test_a_worker_stops_what_hangs_when_the_runner_is_killed(
    machines: Machines, executor: DaskExecutor, chore: Any, folder: Path, tmp_path: Path
) -> None:
    machines.scheduler()
    machines.worker()
    begun = tmp_path / "begun"
    path = os.pathsep.join([str(folder), *map(str, sys.path)])
    runner = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, "-c", CLIENT, str(machines.file), str(begun)], env={**os.environ, "PYTHONPATH": path}
    )
    wait_until(begun.exists)
    runner.kill()
    runner.wait()
    assert right(executor.run(chore(), TASKS)), "by the one worker"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_worker_and_what_hangs_in_it_end_with_the_scheduler(
    machines: Machines, executor: DaskExecutor, chore: Any, tmp_path: Path
) -> None:
    scheduler, worker = machines.scheduler(), machines.worker()
    run = executor.run(chore(), [("quick", 0), hanging(tmp_path / "begun")])
    assert next(run) == (("quick", 0), 0)
    wait_until((tmp_path / "begun").exists)
    family = children(worker.pid)
    machines.kill(scheduler)
    with pytest.raises(UserError, match=r"^the scheduler is gone"):
        list(run)
    wait_until(lambda: worker.poll() is not None)
    wait_until_gone(family)


def test_a_cluster_without_workers_is_told_soon(machines: Machines, chore: Any) -> None:
    machines.scheduler()
    executor = DaskExecutor(scheduler_file=str(machines.file), patience=1.0)
    with pytest.raises(UserError, match="the cluster has no worker; start some"):
        list(executor.run(chore(), TASKS))
    executor.close()


def test_a_gpu_that_no_worker_offers_is_told_soon_and_one_that_a_worker_offers_is_used(
    machines: Machines, executor: DaskExecutor, chore: Any
) -> None:
    machines.scheduler()
    machines.worker()
    assert right(executor.run(chore(), TASKS))
    hasty = DaskExecutor(scheduler_file=str(machines.file), patience=1.0)
    with pytest.raises(UserError, match=r'no worker offers one: start workers with --resources "GPU=1"'):
        list(hasty.run(chore("cuda"), TASKS))
    hasty.close()
    machines.worker("--resources", "GPU=1")
    assert right(executor.run(chore("cuda"), TASKS))


def test_a_late_worker_that_differs_is_refused_and_the_others_go_on(
    machines: Machines, executor: DaskExecutor, chore: Any, caplog: pytest.LogCaptureFixture
) -> None:
    machines.scheduler()
    machines.worker()
    run = executor.run(chore(), tasks := [(share, 0.1) for share in map(str, range(1000))])
    done = [next(run)]
    machines.worker(environ={"PLACE": "elsewhere"})
    while not caplog.messages:
        done.append(next(run))
    (message,) = caplog.messages
    assert message.endswith("is not used: place is elsewhere there and here here")
    done += [next(run) for _ in range(20)]
    assert all(task in tasks and outcome == 0.1 for task, outcome in done)
    run.close()  # type: ignore[attr-defined]  # a generator


def test_a_worker_that_may_have_no_children_says_how_to_start_it(
    machines: Machines, executor: DaskExecutor, chore: Any
) -> None:
    machines.scheduler()
    machines.worker(nanny=True)
    with pytest.raises(UserError, match="set DASK_DISTRIBUTED__WORKER__DAEMON=False for `dask worker`"):
        list(executor.run(chore(), TASKS))
    machines.worker(nanny=True, environ={"DASK_DISTRIBUTED__WORKER__DAEMON": "False"})
    wait_until(lambda: len(executor._connected().workers()) == 2)
    assert right(executor.run(chore(), TASKS))


def test_two_runs_share_a_cluster(machines: Machines, executor: DaskExecutor, chore: Any) -> None:
    machines.scheduler()
    machines.worker()
    machines.worker()
    other = DaskExecutor(scheduler_file=str(machines.file), patience=120.0)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(right(other.run(chore(), TASKS))))
    thread.start()
    assert right(executor.run(chore(), TASKS))
    thread.join()
    other.close()
    assert results == [True]


def test_certificates_of_another_authority_are_told_soon(folder: Path, tmp_path: Path, chore: Any) -> None:
    ours, theirs = certificates(tmp_path / "ours"), certificates(tmp_path / "theirs")
    machines = Machines(tmp_path, [folder], ours)
    try:
        machines.scheduler()
        machines.worker()
        file = str(machines.file)
        right_ones = DaskExecutor("", file, *ours, patience=120.0)
        assert right(right_ones.run(chore(), TASKS))
        right_ones.close()
        with pytest.raises(UserError, match=r"cannot connect to the scheduler at tls://.*") as caught:
            list(DaskExecutor("", file, *theirs).run(chore(), TASKS))
        assert len(str(caught.value)) <= 300
    finally:
        machines.end()


def test_no_scheduler_is_told_soon(chore: Any) -> None:
    with pytest.raises(UserError, match=r"cannot connect to the scheduler at tcp://127.0.0.1:1"):
        list(DaskExecutor("tcp://127.0.0.1:1").run(chore(), TASKS))
