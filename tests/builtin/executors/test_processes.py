"""Worker processes start, report, keep to a memory limit and end."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.builtin.executors.memory import peak_memory
from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.core.errors import UserError

SLEEPERS = """
import signal, sys
sys.path[:0] = sys.argv[1:]
import sleepers
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs these tests may ignore both
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from unlearnbench.builtin.executors.processes import ProcessExecutor
if __name__ == "__main__":
    list(ProcessExecutor(2).run(sleepers.Sleep(), [sys.argv[1] + "/a", sys.argv[1] + "/b"]))
"""
WORK = """
import ctypes, os, time
from pathlib import Path
class Sleep:
    def shared(self, file):
        return None
    def kernels(self, file):
        return ""
    def __call__(self, file):
        Path(file + ".new").write_text(str(os.getpid()))
        os.replace(file + ".new", file)
        SLEEP
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("sleep", ["time.sleep(60)", "ctypes.PyDLL(None).sleep(60)  # holds the interpreter's lock"])
def test_workers_end_with_their_parent(tmp_path: Path, how: signal.Signals, sleep: str) -> None:
    (tmp_path / "sleepers.py").write_text(WORK.replace("SLEEP", sleep))
    (tmp_path / "main.py").write_text(SLEEPERS)
    command = [sys.executable, str(tmp_path / "main.py"), str(tmp_path), str(Path.cwd())]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own code
    files = [tmp_path / "a", tmp_path / "b"]
    _wait_until(lambda: all(file.exists() for file in files))
    parent.send_signal(how)
    parent.wait(timeout=30)
    _wait_until(lambda: not any(_runs(file.read_text()) for file in files))


def _runs(pid: str) -> bool:
    """Say whether a process runs; one that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


CHORES = """
import os, signal
from pathlib import Path
import numpy as np

class Compiling:
    def shared(self, task):
        return None
    def kernels(self, task):
        return "same"
    def __call__(self, task):
        file, name = Path(task).parent, Path(task).name
        met = sorted(other.name for other in file.glob("*.begun") if not other.with_suffix(".ended").exists())
        Path(task + ".begun").touch()
        Path(task + ".ended").touch()
        return met

class Work:
    def shared(self, task):
        return None
    def kernels(self, task):
        return ""

class Hold300MB(Work):
    def __call__(self, task):
        np.ones(300 * 10**6 // 8)
        return os.getpid()

class MissingLibrary(Work):
    def __call__(self, task):
        import no_such_library

def die(how):
    os.kill(os.getpid(), signal.SIGKILL) if how == "killed" else exec("import no_such_library")

class DiesAtStart(Work):
    def __init__(self, how):
        self.how = how
    def __reduce__(self):
        return die, (self.how,)
    def __call__(self, task):
        return task
"""


@pytest.fixture
def chores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of work that workers can import too."""
    (tmp_path / "chores.py").write_text(CHORES)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("chores")
    del sys.modules["chores"]


def test_the_first_task_compiles_alone(chores: Any, tmp_path: Path) -> None:
    tasks = [str(tmp_path / name) for name in "abc"]
    met = dict(ProcessExecutor(3).run(chores.Compiling(), tasks))
    assert "a" not in [name for names in met.values() for name in names]
    assert set(met) == set(tasks)


def test_memory_for_one_worker_makes_one_process(chores: Any) -> None:
    executor = ProcessExecutor(3, f"{peak_memory() // 10**6 + 550}MB")
    assert len({pid for _, pid in executor.run(chores.Hold300MB(), range(3))}) == 1


def test_memory_that_the_start_of_one_worker_exceeds_stops_the_run(chores: Any) -> None:
    with pytest.raises(UserError, match=r"memory: 10 MB is too little: .*; allow at least"):
        list(ProcessExecutor(2, "10MB").run(chores.Hold300MB(), range(3)))


def test_a_task_that_takes_more_than_allowed_is_kept_and_the_run_stops(chores: Any) -> None:
    outcomes = ProcessExecutor(2, f"{peak_memory() // 10**6 + 250}MB").run(chores.Hold300MB(), range(3))
    assert next(outcomes)[0] == 0
    with pytest.raises(UserError, match=r"is too little: one worker held [34]"):
        next(outcomes)


@pytest.mark.parametrize(("how", "said"), [("killed", "was killed by SIGKILL"), ("broken", "exited with 1")])
def test_a_worker_that_dies_at_its_start_stops_the_run(chores: Any, how: str, said: str) -> None:
    with pytest.raises(UserError, match=f"a worker process {said} before its first task"):
        list(ProcessExecutor(2).run(chores.DiesAtStart(how), range(3)))


def test_a_worker_that_cannot_load_what_it_needs_stops_the_run(chores: Any) -> None:
    with pytest.raises(UserError, match=r"a worker process cannot work: ModuleNotFoundError: .*no_such_library"):
        list(ProcessExecutor(2).run(chores.MissingLibrary(), range(3)))


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        ProcessExecutor(0)
