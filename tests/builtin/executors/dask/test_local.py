"""A real cluster on this machine: whatever a task does costs that task only, and results are those of a serial run."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.builtin.executors.dask.executor import DaskExecutor
from unlearnbench.core.executors import Failure
from unlearnbench.core.limits import Limits

pytest.importorskip("distributed")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the memory of processes")

DEEDS = """
import ctypes, os, signal, sys, time
import numpy as np

def hang():
    time.sleep(600)

def leave():
    os._exit(3)

def exit():
    sys.exit(3)

def segfault():
    ctypes.string_at(0)

def allocate():
    held = []
    while True:
        held.append(np.ones(10**6))

def end_the_worker():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(600)

def end_the_worker_once(file):
    if not os.path.exists(file):
        open(file, "w").close()
        end_the_worker()

class Do:
    def __init__(self, version="1"):
        self.version = version
    def __call__(self, task):
        share, deed, number = task
        if deed == "once":
            end_the_worker_once(share)
        elif deed:
            globals()[deed]()
        return number
    def shared(self, task):
        return task[0]
    def kernels(self, task):
        return ""
    def device(self, task):
        return "cpu"
    def portable(self, tasks):
        return self
    def fingerprint(self):
        return {"version": self.version}
"""


@pytest.fixture(scope="module")
def deeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A module of work that workers can import too."""
    folder = tmp_path_factory.mktemp("deeds")
    (folder / "cluster_deeds.py").write_text(DEEDS)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("cluster_deeds")
    sys.path.remove(str(folder))
    del sys.modules["cluster_deeds"]


@pytest.fixture(scope="module")
def executor(deeds: Any) -> Iterator[DaskExecutor]:
    made = DaskExecutor(workers=2, patience=120.0)
    yield made
    made.close()


def among(deed: str, share: str = "b") -> list[tuple[str, str, int]]:
    """Return many tasks, one of which does a deed."""
    return [*(("a", "", number) for number in range(20)), (share, deed, 99), *((share, "", n) for n in range(20, 40))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        ("hang", Failure("timeout", "it took longer than 6 s, the limit")),
        ("leave", Failure("crashed", "its process exited with 3")),
        ("exit", Failure("crashed", "its process exited with 3")),
        ("segfault", Failure("crashed", "its process was killed by SIGSEGV")),
        ("end_the_worker", Failure("crashed", "3 workers were lost while they did it")),
    ],
)
def test_a_deed_costs_its_own_task(executor: DaskExecutor, deeds: Any, deed: str, failure: Failure) -> None:
    done = dict(executor.run(deeds.Do(), tasks := among(deed), Limits(timeout=6.0)))
    assert done == {task: failure if task[1] else task[2] for task in tasks}


@pytest.mark.slow
def test_memory_without_end_costs_its_own_task(executor: DaskExecutor, deeds: Any) -> None:
    done = dict(executor.run(deeds.Do(), tasks := among("allocate"), Limits(memory=500 * 10**6)))
    failure = done.pop(tasks[20])
    assert isinstance(failure, Failure)
    assert failure.status == "out of memory"
    assert done == {task: task[2] for task in tasks if not task[1]}


@pytest.mark.slow
def test_a_worker_that_is_lost_by_nobodys_fault_costs_nothing(
    executor: DaskExecutor, deeds: Any, tmp_path: Path
) -> None:
    done = dict(executor.run(deeds.Do(), tasks := among("once", str(tmp_path / "mark"))))
    assert done == {task: task[2] for task in tasks}


@pytest.mark.slow
def test_a_run_that_is_left_early_leaves_a_cluster_that_works(executor: DaskExecutor, deeds: Any) -> None:
    run = executor.run(deeds.Do(), among(""))
    next(run)
    run.close()  # type: ignore[attr-defined]  # a generator
    assert dict(executor.run(deeds.Do(), [("a", "", 1)])) == {("a", "", 1): 1}
