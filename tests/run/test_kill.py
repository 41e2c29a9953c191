"""A run that is killed at any moment goes on where it was, and ends where an undisturbed one does."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from soak import runs
from unlearnbench.run.store_files import set_damaged_aside

if TYPE_CHECKING:
    from tests.run.conftest import Lab, Ran

Findings = Callable[["Ran"], dict[str, object]]
SIZES = {"originals": 3, "requests": 3, "records": 80, "negatives": 10, "matched": 2, "retained": 4}
ONLY = ("unlearner=retrain", "unlearner=none")
SELECTED = [word for text in ONLY for word in ("--only", text)]


def start(suite: Path, store: Path, *more: str, errors: str = "errors") -> subprocess.Popen[str]:
    """Start a run; what it complains about is in the file ``errors``."""
    with (store.parent / errors).open("w") as said:
        return runs.start(suite, store, *SELECTED, *more, errors=said)


def manifests(store: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in runs.entries(store)}


def kill_after(process: subprocess.Popen[str], store: Path, entries: int, pause: float) -> None:
    """Kill the run a random moment after so many entries are there; a moment may fall anywhere in the work."""
    while process.poll() is None and len(runs.entries(store)) < entries:
        time.sleep(0.001)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_run_killed_at_several_moments_ends_as_an_undisturbed_one(lab: Lab, findings: Findings) -> None:
    sizes: dict[str, Any] = {"episodes": SIZES, "seeds": [0, 1]}
    undisturbed = lab.run("undisturbed", only=ONLY, **sizes)
    store = lab.folder / "killed"
    rng, killed = random.Random(os.getpid()), 0  # noqa: S311 - any moment will do
    whole = len(undisturbed.plan.episodes) + len(undisturbed.plan.cells)
    seen: dict[Path, int] = {}
    for share in (0.1, 0.4, 0.75):
        process = start(lab.folder / "tiny.yaml", store)
        kill_after(process, store, int(share * whole), rng.random() * 0.03)
        killed += process.returncode == -signal.SIGKILL
        now = manifests(store)
        assert seen.items() <= now.items(), "a run did again what an earlier one had finished"
        assert len(now) < whole
        seen = now
    assert killed == 3
    last = start(lab.folder / "tiny.yaml", store)
    last.wait()
    assert (last.returncode, (lab.folder / "errors").read_bytes()) == (0, b"")
    assert seen.items() <= manifests(store).items()
    assert list((store / "tmp").iterdir()) == []
    assert not list(store.rglob("*.damaged-*"))
    resumed = lab.run("killed", only=ONLY, **sizes)
    assert findings(resumed) == findings(undisturbed)


@pytest.mark.parametrize("during", ["os.fsync", "Path.replace"])
def test_a_kill_in_the_middle_of_a_write_leaves_no_entry(tmp_path: Path, during: str) -> None:
    code = f"""
import os, signal, sys
from pathlib import Path
import numpy as np
import unlearnbench.run.store as module
def die(*arguments, **named): os.kill(os.getpid(), signal.SIGKILL)
{during} = die
module.Store(Path(sys.argv[1])).put("episode", "ab" * 32, {{}}, {{"x": np.zeros(3)}})
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)  # noqa: S603 - our own code
    assert done.returncode == -signal.SIGKILL
    from unlearnbench.run.store import Store

    assert len(list((tmp_path / "tmp").iterdir())) == 1
    store = Store(tmp_path)
    assert not store.has("episode", "ab" * 32)
    store.make_ready()
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.slow
def test_two_runs_that_make_everything_again_at_once_end_without_a_crash(lab: Lab, findings: Findings) -> None:
    undisturbed = lab.run("store", only=ONLY, episodes=SIZES)
    store, suite = lab.folder / "store", lab.folder / "tiny.yaml"
    both = [start(suite, store, "--rerun", "all", errors=name) for name in ("one", "two")]
    assert {process.wait() for process in both} <= {0, 1}, "1: a run may find an episode gone that the other dropped"
    for name in ("one", "two"):
        assert b"Traceback" not in (lab.folder / name).read_bytes()
    again = lab.run("store", only=ONLY, episodes=SIZES)
    assert again.outcome.failed == 0
    assert findings(again) == findings(undisturbed)


@pytest.mark.slow
def test_two_runs_of_one_suite_at_once_both_end_with_all_results(lab: Lab, findings: Findings) -> None:
    undisturbed = lab.run("undisturbed", only=ONLY, episodes=SIZES)
    store, suite = lab.folder / "store", lab.folder / "tiny.yaml"
    both = [start(suite, store, *options, errors=options[-1]) for options in (("--workers", "1"), ("--workers", "2"))]
    assert [process.wait() for process in both] == [0, 0]
    assert [(lab.folder / name).read_text() for name in ("1", "2")] == ["", ""]
    again = lab.run("store", only=ONLY, episodes=SIZES)
    assert findings(again) == findings(undisturbed)
    assert not list(store.rglob("*.damaged-*"))


@pytest.mark.slow
def test_damaged_entries_are_repaired_under_a_run(lab: Lab, findings: Findings) -> None:
    undisturbed = lab.run("undisturbed", only=ONLY, episodes=SIZES)
    before = lab.run("store", only=ONLY, episodes=SIZES)
    for number, entry in enumerate(sorted(runs.entries(before.store.root))):
        entry.write_bytes(entry.read_bytes()[: -number % 3 * 9 or None])
    process = start(lab.folder / "tiny.yaml", before.store.root)
    while process.poll() is None:
        set_damaged_aside(before.store)
    assert process.returncode == 0
    assert findings(lab.run("store", only=ONLY, episodes=SIZES)) == findings(undisturbed)


def test_a_store_that_is_deleted_under_a_run_is_a_reason_and_no_crash(lab: Lab, findings: Findings) -> None:
    undisturbed = lab.run("undisturbed", only=ONLY, episodes=SIZES)
    store = lab.folder / "deleted"
    process = start(lab.folder / "tiny.yaml", store)
    while process.poll() is None and len(runs.entries(store)) < 4:
        time.sleep(0.001)
    shutil.rmtree(store, ignore_errors=True)
    assert process.wait() in (0, 1, 2)
    assert b"Traceback" not in (lab.folder / "errors").read_bytes()
    resumed = lab.run("deleted", only=ONLY, episodes=SIZES)
    assert resumed.outcome.failed == 0
    assert findings(resumed) == findings(undisturbed)
