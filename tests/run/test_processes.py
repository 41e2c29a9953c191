"""Results are the same bits in any number of processes, and a process that dies costs one task."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.run.executors.memory import peak_memory
from unlearnbench.run.executors.processes import ProcessExecutor
from unlearnbench.run.store import Failure

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

Findings = Callable[["Ran"], dict[str, object]]

SLEEPERS = """
import sys
sys.path[:0] = sys.argv[1:]
import sleepers
from unlearnbench.run.executors.processes import ProcessExecutor
if __name__ == "__main__":
    list(ProcessExecutor(2).run(sleepers.sleep, [sys.argv[1] + "/a", sys.argv[1] + "/b"]))
"""
SLEEP = """
import os, time
from pathlib import Path
def sleep(file):
    Path(file + ".new").write_text(str(os.getpid()))
    os.replace(file + ".new", file)
    time.sleep(60)
"""


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_any_number_of_workers_gives_the_bits_of_a_serial_run(
    lab: Lab, findings: Findings, tiny: Ran, workers: int
) -> None:
    assert findings(lab.run(only=(), executor=ProcessExecutor(workers))) == findings(tiny)


PLUGIN = """
import os, signal
from pathlib import Path
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class DiesOnce(FunctionUnlearner):
    def unlearn(self, fitted, retain, forget, rng):
        mark = Path(__file__).with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return fitted

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="dies-once", summary="Dies once.", factory=DiesOnce)
"""


def test_a_killed_worker_fails_its_task_and_the_next_run_makes_it(lab: Lab) -> None:
    changes = {"unlearners": ["dies-once"], "plugins": [lab.plugin(PLUGIN)]}
    first = lab.run(only=("unlearner=dies-once",), executor=ProcessExecutor(1), **changes)
    failures = [first.store.failure("episode", key) for key in first.plan.episodes]
    assert [failure for failure in failures if failure] == [
        Failure("crashed", "its worker process was killed by SIGKILL")
    ]
    again = lab.run(only=("unlearner=dies-once",), executor=ProcessExecutor(1), **changes)
    assert again.outcome.failed == 0


def test_a_worker_refuses_a_plugin_file_that_changed(lab: Lab) -> None:
    class Changing(ProcessExecutor):
        def run(self, work, tasks):  # type: ignore[no-untyped-def]  # as its base
            lab.plugin(PLUGIN + "\n# changed\n")
            return super().run(work, tasks)

    changes = {"unlearners": ["dies-once"], "plugins": [lab.plugin(PLUGIN)]}
    with pytest.raises(UserError, match='finds another version, or none, of unlearner "dies-once"'):
        lab.run(only=("unlearner=dies-once",), executor=Changing(1), **changes)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_parent(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "sleepers.py").write_text(SLEEP)
    (tmp_path / "main.py").write_text(SLEEPERS)
    command = [sys.executable, str(tmp_path / "main.py"), str(tmp_path), str(Path.cwd())]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own code
    files = [tmp_path / "a", tmp_path / "b"]
    _wait_until(lambda: all(file.exists() for file in files))
    parent.send_signal(how)
    parent.wait()
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
    def kernels(self, task):
        return "same"
    def __call__(self, task):
        file, name = Path(task).parent, Path(task).name
        met = sorted(other.name for other in file.glob("*.begun") if not other.with_suffix(".ended").exists())
        Path(task + ".begun").touch()
        Path(task + ".ended").touch()
        return met

def hold_300_mb(task):
    np.ones(300 * 10**6 // 8)
    return os.getpid()

def missing_library(task):
    import no_such_library

def die(how):
    os.kill(os.getpid(), signal.SIGKILL) if how == "killed" else exec("import no_such_library")

class DiesAtStart:
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
    assert len({pid for _, pid in executor.run(chores.hold_300_mb, range(3))}) == 1


def test_memory_that_the_start_of_one_worker_exceeds_stops_the_run(chores: Any) -> None:
    with pytest.raises(UserError, match=r"memory: 10 MB is too little: .*; allow at least"):
        list(ProcessExecutor(2, "10MB").run(chores.hold_300_mb, range(3)))


def test_a_task_that_takes_more_than_allowed_is_kept_and_the_run_stops(chores: Any) -> None:
    outcomes = ProcessExecutor(2, f"{peak_memory() // 10**6 + 250}MB").run(chores.hold_300_mb, range(3))
    assert next(outcomes)[0] == 0
    with pytest.raises(UserError, match=r"is too little: one worker held [34]"):
        next(outcomes)


@pytest.mark.parametrize(("how", "said"), [("killed", "was killed by SIGKILL"), ("broken", "exited with 1")])
def test_a_worker_that_dies_at_its_start_stops_the_run(chores: Any, how: str, said: str) -> None:
    with pytest.raises(UserError, match=f"a worker process {said} before its first task"):
        list(ProcessExecutor(2).run(chores.DiesAtStart(how), range(3)))


def test_a_worker_that_cannot_load_what_it_needs_stops_the_run(chores: Any) -> None:
    with pytest.raises(UserError, match=r"a worker process cannot work: ModuleNotFoundError: .*no_such_library"):
        list(ProcessExecutor(2).run(chores.missing_library, range(3)))


ATTACK = """
import os, signal
from pathlib import Path
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class DiesOnce(ScoreAttack):
    def score(self, view):
        mark = Path(__file__).with_suffix(".mark")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return view.before[:, 0]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="dies-once", summary="Dies once.", factory=DiesOnce)
"""


def test_an_attack_that_kills_its_worker_costs_one_bench_and_the_next_run_makes_it(lab: Lab) -> None:
    only = ("unlearner=none", "unlearner=random-noise")
    changes = {"attacks": ["dies-once"], "plugins": [lab.plugin(ATTACK)]}
    lab.run(only=only)  # the episodes
    first = lab.run(only=only, executor=ProcessExecutor(1), **changes)
    crashed = [row for row in first.rows if row.status == "crashed"]
    assert len({row.names["unlearner"] for row in crashed}) == 1
    assert {row.reason for row in crashed} == {"its worker process was killed by SIGKILL"}
    assert first.outcome.failed == len(crashed) <= first.outcome.done
    assert lab.run(only=only, executor=ProcessExecutor(1), **changes).outcome.failed == 0


@pytest.mark.slow
def test_a_killed_run_of_several_workers_is_resumed(lab: Lab, findings: Findings, tiny: Ran) -> None:
    store = lab.folder / "killed"
    code = "import sys; from unlearnbench.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "run", str(lab.write()), "--store", str(store), "--workers", "2"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own code
    _wait_until(lambda: len(list(store.glob("episode/*/*"))) >= 2)
    run.kill()
    run.wait()
    done = {file: file.stat().st_mtime_ns for file in store.glob("[ec]*/*/*/manifest.json")}
    resumed = lab.run("killed", only=(), executor=ProcessExecutor(2))
    assert findings(resumed) == findings(tiny)
    assert {file: file.stat().st_mtime_ns for file in done} == done


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        ProcessExecutor(0)
