"""Runs that are disturbed in every way end, after as many resumes as it takes, where an undisturbed one does."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak.runs import children, differences, entries, start, wait_for, wait_until_gone
from unlearnbench.builtin.executors.processes import ProcessExecutor
from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.core.executors import Executor, Failure
from unlearnbench.core.limits import Limits
from unlearnbench.run.merging import same_results
from unlearnbench.run.store import Store

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

ONLY = ("unlearner=retrain", "unlearner=none")
SELECTED = [word for text in ONLY for word in ("--only", text)]
KEPT = "cells are kept in"
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(scope="module")
def undisturbed(lab_in: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    lab: Lab = lab_in(tmp_path_factory.mktemp("undisturbed"))
    return lab.run(only=ONLY)


KILLS = [
    *((executor, seed) for seed in range(25) for executor in ("serial", "processes")),
    *(("dask", seed) for seed in range(4)),  # a cluster takes some seconds to start, each time
]


@pytest.mark.slow
@pytest.mark.parametrize(("executor", "seed"), KILLS)
def test_whatever_is_killed_whenever_the_rest_is_kept_and_resumed(
    lab: Lab, undisturbed: Ran, executor: str, seed: int
) -> None:
    """The runner, one of its workers or of their children is killed, or the runner is told to stop, several times."""
    if executor == "dask":
        pytest.importorskip("distributed")
    rng = random.Random(seed)  # noqa: S311 - any moment will do
    suite, store, everything = lab.write(), lab.folder / "store", len(entries(undisturbed.store.root))
    for _ in range(3):
        before = len(entries(store))
        run = start(suite, store, *SELECTED, "--executor", executor)
        wait_for(run, store, rng.randint(0, 6))
        time.sleep(rng.random() * 0.1)
        family = children(run.pid)
        victim = rng.choice([run.pid, *family])
        how = rng.choice([signal.SIGKILL, *STOPS]) if victim == run.pid else signal.SIGKILL
        seen = len(entries(store))
        try:
            os.kill(victim, how)
        except ProcessLookupError:
            continue
        finally:
            _, said = run.communicate(timeout=1200)
        if victim == run.pid and how in STOPS and run.returncode not in (0, 1, -how):
            assert run.returncode == 128 + how
            begun_and_not_done = before < seen and len(entries(store)) < everything
            assert KEPT in said or not begun_and_not_done, "a run in the middle of its work tells what is kept"
        assert len(entries(store)) >= seen, "what was stored stays"
        wait_until_gone(family)
    last = start(suite, store, *SELECTED, "--executor", executor)
    _, said = last.communicate(timeout=1200)
    assert (last.returncode, said) == (0, "")
    assert differences(undisturbed.store, Store(store)) == []
    assert [*(store / "tmp").iterdir()] == []


ATTACKS = """
import ctypes, os, time
from pathlib import Path
import numpy as np
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

BROKEN = Path(__file__).with_suffix(".broken")

class Broken(ScoreAttack):
    def score(self, view):
        if BROKEN.exists():
            self.do()
        return view.before[:, 0]

class Hangs(Broken):
    def do(self):
        ctypes.PyDLL(None).sleep(600)

class Grows(Broken):
    def do(self):
        held = []
        while True:
            held.append(np.ones(10**6))

class Exits(Broken):
    def do(self):
        os._exit(3)

@hookimpl
def unlearnbench_attacks():
    for made in (Hangs, Grows, Exits):
        yield AttackPlugin(name=made.__name__.lower(), summary="Breaks.", factory=made)
"""


@pytest.mark.slow
@pytest.mark.parametrize("executor", [SerialExecutor(), ProcessExecutor(2)], ids=["serial", "processes"])
def test_attacks_that_break_cost_their_own_cells_with_a_typed_reason_and_are_resumed(
    lab: Lab, undisturbed: Ran, executor: Executor
) -> None:
    changes: dict[str, Any] = {
        "attacks": ["hangs", "grows", "exits", "sorted-diff"],
        "plugins": [lab.plugin(ATTACKS)],
        "timeout": 40,
        "memory": "2GB",
    }
    (lab.folder / "mine.broken").touch()
    ran = lab.run(only=ONLY[:1], executor=executor, **changes)
    reasons = {row.names["attack"]: (row.status, row.reason) for row in ran.rows if row.status != "ok"}
    assert reasons.pop("hangs") == ("timeout", "it took longer than 40 s, the limit")
    assert reasons.pop("grows")[0] == "out of memory"
    assert reasons.pop("exits") == ("crashed", "its process exited with 3")
    assert reasons == {}
    (lab.folder / "mine.broken").unlink()
    again = lab.run(only=ONLY[:1], executor=executor, **changes)
    assert again.outcome.failed == 0
    mine = {key: cell for key, cell in undisturbed.plan.cells.items() if key in again.plan.cells}
    assert mine
    for key in mine:
        ours, theirs = again.store.get("cell", key), undisturbed.store.get("cell", key)
        assert ours is not None
        assert theirs is not None
        assert same_results(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_attack_that_holds_the_lock_of_its_interpreter_ends_with_its_run(lab: Lab, workers: str) -> None:
    suite = lab.write(attacks=["hangs"], plugins=[lab.plugin(ATTACKS)])
    (lab.folder / "mine.broken").touch()
    run = start(suite, lab.folder / "store", *SELECTED, "--workers", workers)
    while not (isolated := [pid for pid in children(run.pid) if b"isolated" in _command(pid)]):
        time.sleep(0.05)
    time.sleep(3)
    family = children(run.pid)
    run.kill()
    run.communicate()
    wait_until_gone([*family, *isolated])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


UNLEARNER = """
import time
from unlearnbench import FunctionUnlearner, UnlearnerPlugin, hookimpl

class Slow(FunctionUnlearner):
    def unlearn(self, deletion):
        time.sleep(600)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="slow", summary="Slow.", factory=Slow)
"""


@pytest.mark.slow
def test_cells_whose_episodes_took_too_long_say_so(lab: Lab) -> None:
    changes: dict[str, Any] = {"unlearners": ["slow"], "plugins": [lab.plugin(UNLEARNER)], "timeout": 8}
    ran = lab.run(only=("unlearner=slow",), episodes={"originals": 1, "requests": 1, "records": 60}, **changes)
    failures = {ran.store.failure("episode", key) for key in ran.plan.episodes}
    assert failures == {Failure("timeout", "it took longer than 8 s, the limit")}
    assert {(row.status, row.reason) for row in ran.rows} == {
        ("timeout", "target original 0: it took longer than 8 s, the limit")
    }


def test_the_limits_of_a_run_take_the_place_of_those_of_the_suite(lab: Lab) -> None:
    class Noting(SerialExecutor):
        def run(self, work: Any, tasks: Any, limits: Limits = Limits()) -> Any:  # noqa: B008 - frozen
            noted.append(limits)
            return super().run(work, tasks)

    noted: list[Limits] = []
    lab.run(executor=Noting(), timeout=600, memory="4GB")
    assert noted == [Limits(600.0, 4 * 10**9)] * 2
