"""Whatever a task does to its process costs that task only, over both local executors."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.executors import Executor, Failure
from unlearnbench.core.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has process groups and tells their memory")

DEEDS = """
import ctypes, os, signal, subprocess, sys, threading, time
import numpy as np

def hang():
    time.sleep(600)

def spin():
    while True:
        pass

def hold_the_lock():
    ctypes.PyDLL(None).sleep(600)

def leave():
    os._exit(3)

def segfault():
    ctypes.string_at(0)

def abort():
    os.abort()

def allocate():
    held = []
    while True:
        held.append(np.ones(10**6))

def allocate_elsewhere():
    subprocess.run([sys.executable, "-c", "held = []\\nwhile True: held.append(bytes(range(256)) * 40_000)"])

def interrupt():
    raise KeyboardInterrupt

def close_all_files():
    os.closerange(3, 256)
    return "nobody will hear"

def leave_a_child_with_the_pipe():
    if os.fork() == 0:
        time.sleep(600)
    os._exit(4)

def leave_a_daemon_with_the_pipe():
    if os.fork() == 0:
        os.setsid()
        time.sleep(20)
        os._exit(0)
    os._exit(4)

def return_a_function():
    return lambda: None

def die_later():
    threading.Thread(target=lambda: (time.sleep(0.3), os._exit(5)), daemon=True).start()
    return "too early to tell"

def busy_threads():
    for _ in range(3):
        threading.Thread(target=spin, daemon=True).start()
    return "threads"

def garbage():
    os.write(1, bytes(range(256)) * 100)
    print("garbage" * 1000, flush=True)
    return "said"

def ignore_signals():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    return "deaf"

class Do:
    def shared(self, task):
        return None if task[0] is None else task[0]
    def kernels(self, task):
        return ""
    def __call__(self, task):
        _, deed, number = task
        if deed == "wait":
            time.sleep(number)
        return globals()[deed]() if deed in globals() else number
"""

Task = tuple[str, str, float]
LIMITS = Limits(timeout=4.0, memory=500 * 10**6)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Work that other processes can import too."""
    (tmp_path / "deeds.py").write_text(DEEDS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("deeds").Do()
    del sys.modules["deeds"]


@pytest.fixture(params=[SerialExecutor, ProcessExecutor])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    made = request.param()
    yield made
    made.close()


def around(deed: str) -> list[Task]:
    """Return tasks that share something, one of which does a deed, and others."""
    return [("a", "say", 0), ("a", deed, 0), ("a", "say", 2), ("a", "say", 3), ("b", "say", 4)]


def outcomes(executor: Executor, work: Any, tasks: Sequence[Task], limits: Limits = LIMITS) -> dict[Task, object]:
    done = list(executor.run(work, tasks, limits))
    assert sorted(task for task, _ in done) == sorted(tasks), "each task once"
    return dict(done)


@pytest.mark.parametrize(
    ("deed", "failure"),
    [
        ("hang", Failure("timeout", "it took longer than 4 s, the limit")),
        ("spin", Failure("timeout", "it took longer than 4 s, the limit")),
        ("hold_the_lock", Failure("timeout", "it took longer than 4 s, the limit")),
        ("leave", Failure("crashed", "its process exited with 3")),
        ("segfault", Failure("crashed", "its process was killed by SIGSEGV")),
        ("abort", Failure("crashed", "its process was killed by SIGABRT")),
        ("interrupt", Failure("crashed", "its process exited with 1")),
        ("close_all_files", Failure("crashed", "its process exited with 1")),
        ("leave_a_child_with_the_pipe", Failure("crashed", "its process exited with 4")),
        ("leave_a_daemon_with_the_pipe", Failure("crashed", "its process exited with 4")),
    ],
)
def test_a_deed_costs_its_own_task_and_says_what_it_was(
    executor: Executor, work: Any, deed: str, failure: Failure
) -> None:
    found = outcomes(executor, work, tasks := around(deed))
    assert found[tasks[1]] == failure
    assert {found[task] for task in tasks if task[1] == "say"} == {0, 2, 3, 4}


def test_a_result_that_cannot_leave_its_process_fails_its_own_task(executor: Executor, work: Any) -> None:
    failure = outcomes(executor, work, tasks := around("return_a_function"))[tasks[1]]
    assert isinstance(failure, Failure)
    assert (failure.status, failure.reason[:35]) == ("failed", "its result cannot leave its process")


@pytest.mark.parametrize("deed", ["allocate", "allocate_elsewhere"])
def test_memory_without_end_is_ended_in_the_process_and_in_those_it_starts(
    executor: Executor, work: Any, deed: str
) -> None:
    found = outcomes(executor, work, tasks := around(deed), Limits(memory=LIMITS.memory))
    failure = found[tasks[1]]
    assert isinstance(failure, Failure)
    assert failure.status == "out of memory"
    assert failure.reason.endswith("MB; the limit is 500 MB")
    assert {found[task] for task in tasks if task[1] == "say"} == {0, 2, 3, 4}


@pytest.mark.parametrize(("deed", "outcome"), [("busy_threads", "threads"), ("ignore_signals", "deaf")])
def test_what_a_deed_leaves_in_its_process_harms_no_other_task(
    executor: Executor, work: Any, deed: str, outcome: str
) -> None:
    assert [*outcomes(executor, work, around(deed)).values()].count(outcome) == 1


def test_what_dies_of_an_earlier_task_is_done_again_in_a_new_process(executor: Executor, work: Any) -> None:
    tasks: list[Task] = [("a", "die_later", 0), ("a", "wait", 1.0), ("a", "say", 2)]
    found = outcomes(executor, work, tasks)
    assert [found[task] for task in tasks] == ["too early to tell", 1.0, 2]


def test_what_is_printed_goes_to_the_error_stream(
    executor: Executor, work: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "said" in outcomes(executor, work, around("garbage")).values()
    said = capfd.readouterr()
    assert said.out == ""
    assert "garbage" in said.err


def test_workers_are_kept_from_one_run_to_the_next_and_ended_by_close(work: Any) -> None:
    executor = ProcessExecutor(1)
    outcomes(executor, work, [("a", "say", 1)])
    (first,) = executor._crew.idle
    outcomes(executor, work, [("a", "say", 2)])
    assert executor._crew.idle == [first]
    executor.close()
    assert not first.process.is_alive()
    assert outcomes(executor, work, [("a", "say", 3)]), "and start again where they are needed"
    executor.close()


def test_a_run_that_is_left_early_ends_what_is_being_done(work: Any) -> None:
    executor = ProcessExecutor(2)
    run = executor.run(work, [("a", "say", 1), ("b", "wait", 600)])
    assert next(run) == (("a", "say", 1), 1)
    busy = [child.process for child in executor._crew.busy]
    run.close()  # type: ignore[attr-defined]  # a generator
    assert busy
    assert not any(process.is_alive() for process in busy)
    assert outcomes(executor, work, [("a", "say", 2)]) == {("a", "say", 2): 2}
    executor.close()


def test_what_a_stopped_worker_had_reported_is_no_outcome_of_the_next_run(work: Any) -> None:
    executor = ProcessExecutor(1)
    run = executor.run(work, [("a", "say", n) for n in range(9)])
    assert next(run)[1] == 0
    time.sleep(1.0)  # the other reports arrive
    run.close()  # type: ignore[attr-defined]  # a generator
    assert outcomes(executor, work, [("b", "say", 1)]) == {("b", "say", 1): 1}
    executor.close()


def test_a_task_may_take_its_time_while_the_caller_takes_his(work: Any) -> None:
    executor = ProcessExecutor(1)
    done = []
    for task, outcome in executor.run(work, [("a", "wait", n / 10) for n in range(1, 5)], Limits(timeout=1.5)):
        done.append(outcome == task[2])
        time.sleep(2.0)
    assert done == [True] * 4
    executor.close()


def test_a_stopped_run_takes_no_task_for_a_slow_one(work: Any) -> None:
    """Ctrl-Z stops this process, not its workers: what they did meanwhile waits for it."""
    executor = ProcessExecutor(1)
    run = executor.run(work, [("a", "say", 1), ("a", "wait", 0.5), ("a", "say", 2)], Limits(timeout=1.5))
    assert next(run)[1] == 1
    executor._crew._looked -= 3600
    assert [outcome for _, outcome in run] == [0.5, 2]
    executor.close()


KILLS = [pytest.param(seed, marks=pytest.mark.slow) if seed >= 6 else seed for seed in range(40)]


@pytest.mark.parametrize("seed", KILLS)
def test_children_killed_at_any_moment_cost_at_most_the_task_they_had_just_begun(work: Any, seed: int) -> None:
    import random
    import threading

    rng = random.Random(seed)  # noqa: S311 - no secret
    executor = ProcessExecutor(2)
    tasks: list[Task] = [(name, "wait", n / 200) for name in "abcd" for n in range(12)]
    ended = threading.Event()

    def kill() -> None:
        for _ in range(3):
            ended.wait(rng.uniform(0.02, 0.4))
            for child in executor._crew.busy[: rng.randint(0, 2)]:
                if child.started:
                    child.process.kill()

    killer = threading.Thread(target=kill)
    run = executor.run(work, tasks)
    first = next(run)
    killer.start()
    done = [first, *run]
    ended.set()
    killer.join()
    executor.close()
    assert sorted(task for task, _ in done) == sorted(tasks)
    lost = [outcome for task, outcome in done if outcome != task[2]]
    assert set(lost) <= {Failure("crashed", "its process was killed by SIGKILL")}
    assert len(lost) <= 6
