"""Results are the same bits in any number of processes, and a process that dies costs one task."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from unlearnbench.core.errors import UserError
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


@pytest.mark.parametrize("workers", [1, 2])
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


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="at least 1"):
        ProcessExecutor(0)
