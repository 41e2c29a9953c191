"""Whatever a plug-in does, under every executor: its own cells have a typed reason, all others the bits of a quiet run.

:data:`ENDS_IN_ORDER` are the deeds after which the process goes on, :data:`ENDS_A_PROCESS` those that it does not
survive, or that only a limit ends.
"""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from unlearnbench.run.executors import choose_executor
from unlearnbench.run.instances import PluginInstances

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

DASK = pytest.param("dask:patience=240", marks=pytest.mark.slow)  # a cluster takes some seconds to start
EXECUTORS = ("serial", "processes", DASK)
"""To add one, add what --executor takes."""
SIZES = {"originals": 1, "requests": 2, "records": 60, "negatives": 4, "matched": 1, "retained": 2}
PLUGINS = """
import ctypes, os, random, subprocess, sys, threading, time
import numpy as np
from unlearnbench import AttackPlugin, FunctionUnlearner, ScoreAttack, UnlearnerPlugin, hookimpl

class Posteriors:
    def __init__(self, change):
        self.change = change
    def log_posteriors(self, x):
        return self.change(np.log(np.full((len(x), 2), 0.5)))

def spin():
    while True:
        time.sleep(0.01)

def deed(what):
    match what:
        case "raise":
            raise RuntimeError("on purpose")
        case "leave by sys.exit":
            sys.exit(3)
        case "lack memory":
            raise MemoryError("not so much")
        case "recurse":
            deed_again = lambda n: deed_again(n + 1) + 1
            deed_again(0)
        case "print garbage":
            os.write(1, bytes(range(256)))
            os.write(2, bytes(range(256)))
            print("garbage", flush=True)
        case "leak threads":
            for _ in range(3):
                threading.Thread(target=spin, daemon=True).start()
        case "change the folder":
            os.chdir("/")
        case "change the environment":
            os.environ["OMP_NUM_THREADS"] = "7"
            os.environ["MINE"] = "here"
        case "change random states":
            random.seed(7)
            np.random.seed(7)
        case "hang":
            ctypes.PyDLL(None).sleep(600)
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "allocate without end":
            held = []
            while True:
                held.append(np.ones(10**6))
        case "start a process that allocates":
            subprocess.run([sys.executable, "-c", "held = []\\nwhile True: held.append(bytes(range(256)) * 40_000)"])

class Attack(ScoreAttack):
    def __init__(self, what: str = "nothing") -> None:
        self.what = what
    def score(self, view):
        deed(self.what)
        scores = view.before[:, 0] - view.after[:, 0]
        match self.what:
            case "give NaN":
                return scores * np.nan
            case "give another shape":
                return scores[:, None]
            case "give other numbers":
                return scores.astype(complex)
            case "change the inputs":
                view.before[:] = 0
        return scores

class Unlearner(FunctionUnlearner):
    def __init__(self, what: str = "nothing") -> None:
        self.what = what
    def unlearn(self, deletion):
        deed(self.what)
        match self.what:
            case "give NaN":
                return Posteriors(lambda log: log * np.nan)
            case "give another shape":
                return Posteriors(lambda log: log[:, :1])
            case "give other numbers":
                return Posteriors(lambda log: log.astype(complex))
            case "change the inputs":
                deletion.original.data.x[:] = 0
        return deletion.fitted

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="faulty", summary="Does a deed.", factory=Attack)

@hookimpl
def unlearnbench_unlearners():
    yield UnlearnerPlugin(name="faulty", summary="Does a deed.", factory=Unlearner)
"""
Reasons = dict[str, tuple[str, str]]
OK = ("ok", "")
SCORES = "ValueError: an attack must give one finite score for each of 5 rows"
POSTERIORS = "ValueError: a model must answer with log-posteriors (117, 2), but"
ENDS_IN_ORDER: Reasons = {
    "raise": ("failed", "RuntimeError: on purpose"),
    "leave by sys.exit": ("failed", "SystemExit: 3"),
    "lack memory": ("out of memory", "MemoryError: not so much"),
    "recurse": ("failed", "RecursionError: maximum recursion depth exceeded"),
    "print garbage": OK,
    "leak threads": OK,
    "change the folder": OK,
    "change the environment": OK,
    "change random states": OK,
    "change the inputs": OK,
}
"""What is said of the cells of an attack or an unlearner that does this."""
GIVES_WHAT_IS_NONE: dict[str, Reasons] = {
    "attack": {
        "give NaN": ("failed", f"{SCORES}, got shape (5,), 5 of them not finite"),
        "give another shape": ("failed", f"{SCORES}, got shape (5, 1), 0 of them not finite"),
        "give other numbers": ("failed", f"{SCORES}; their type is complex128; convert them by .astype(np.float64)"),
    },
    "unlearner": {
        "give NaN": ("failed", f"{POSTERIORS} 234 are not finite; floor zeros by log_of"),
        "give another shape": ("failed", f"{POSTERIORS} they are of shape (117, 1), not (117, 2)"),
        "give other numbers": ("failed", f"{POSTERIORS} they are of type complex128"),
    },
}
"""What is said of answers that are no scores, and no posteriors."""
LIMITS = {"timeout": 40, "memory": "2GB"}
OVER = ("out of memory", "its process held N MB; the limit is N MB")
ENDS_A_PROCESS: Reasons = {
    "exit": ("crashed", "its process exited with 3"),
    "segfault": ("crashed", "its process was killed by SIGSEGV"),
    "hang": ("timeout", "it took longer than 40 s, the limit"),
    "allocate without end": OVER,
    "start a process that allocates": OVER,
}
"""What is said where limits are given."""
KINDS = ("attack", "unlearner")


def run(lab: Lab, kind: str, deeds: Iterable[str], executor: str, **changes: Any) -> Ran:
    """Run a suite in which one plug-in does nothing and one does each deed."""
    if executor.startswith("dask"):
        pytest.importorskip("distributed")
    changes["plugins"] = [lab.plugin(PLUGINS)]
    changes["episodes"] = SIZES
    changes[f"{kind}s"] = ["faulty", *({"name": "faulty", "params": {"what": deed}} for deed in deeds)]
    _, registry = lab.load(**changes)
    only = ("unlearner=retrain",) if kind == "attack" else ("attack=sorted-diff", "unlearner=faulty")
    chosen = choose_executor(PluginInstances(registry), executor)
    return lab.run(store=executor.partition(":")[0], only=only, executor=chosen, **changes)


def reasons(ran: Ran, kind: str) -> Reasons:
    """Return status and reason by the deed; which original it was, and how many megabytes, are left out."""
    rows = {str(row.axes[kind].params["what"]): row for row in ran.rows if row.axes[kind].name == "faulty"}
    told = {deed: re.sub(r"\d+ MB", "N MB", row.reason) for deed, row in rows.items()}
    return {deed: (row.status, told[deed].removeprefix("target original 0: ")) for deed, row in rows.items()}


def scores(ran: Ran, kind: str) -> dict[str, bytes]:
    """Return the scores by the deed, or by the name of another attack, of the cells that have some."""
    found = {}
    for key, cell in ran.plan.cells.items():
        if entry := ran.store.get("cell", key):
            found[str(cell.axes[kind].params.get("what", cell.axes[kind].name))] = entry.arrays["scores"].tobytes()
    return found


def settings(executor: str) -> tuple[object, ...]:
    """Return what the deeds change in a process; dask itself draws from one of the random states."""
    drawn = None if executor.startswith("dask") else random.getstate()
    random_state: Any = np.random.get_state()  # noqa: NPY002 - the state of all is what is asked for
    return Path.cwd(), os.environ.get("MINE"), drawn, random_state[1].tolist()


def quiet(deeds: Reasons) -> Reasons:
    return {"nothing": OK, **deeds}


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_deed_after_which_the_process_goes_on(lab: Lab, kind: str, executor: str) -> None:
    expected = quiet(ENDS_IN_ORDER | GIVES_WHAT_IS_NONE[kind])
    before = settings(executor)
    ran = run(lab, kind, [deed for deed in expected if deed != "nothing"], executor)
    assert settings(executor) == before
    assert os.environ["OMP_NUM_THREADS"] == "1", "as every run leaves it"
    assert reasons(ran, kind) == expected
    found = scores(ran, kind)
    for deed in (deed for deed, said in expected.items() if said == OK):
        assert found[deed] == found["nothing"], deed
    assert {name: found[name] for name in found if name not in expected} == others(lab, kind)


def others(lab: Lab, kind: str) -> dict[str, bytes]:
    """Return the scores of what does no deed, from a run without those that do."""
    alone = scores(run(lab, kind, [], "serial", name="alone"), kind)
    return {name: alone[name] for name in alone if name != "nothing"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory other processes hold")
@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_deed_that_ends_its_process_or_that_only_a_limit_ends(lab: Lab, kind: str, executor: str) -> None:
    ran = run(lab, kind, ENDS_A_PROCESS, executor, **LIMITS)
    assert reasons(ran, kind) == quiet(ENDS_A_PROCESS)
    found = scores(ran, kind)
    assert {name: found[name] for name in found if name not in quiet(ENDS_A_PROCESS)} == others(lab, kind)
