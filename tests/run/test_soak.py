"""A short soak; `make soak` does a long one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soak.__main__ import main
from soak.damage import DAMAGES, Damage, remove
from soak.runs import BrokenError, differences, ended, expect, wait_until_gone
from soak.suites import write_suite
from unlearnbench.run.store import FOLDERS, Store
from unlearnbench.suite.load import load_suite

KEY = "ab" * 32


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_runs_under_random_disturbances_end_as_undisturbed_ones(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    assert main(["--minutes", "3", "--seed", "100"]) == 0
    assert "lost 0, wrong 0" in capsys.readouterr().out


@pytest.mark.parametrize("seed", range(10))
def test_a_random_suite_is_one(tmp_path: Path, seed: int) -> None:
    path = write_suite(tmp_path, random.Random(seed))  # noqa: S311 - any suite will do
    suite, _ = load_suite(path, run_plugin_files=True)
    assert suite.name == "soak"


@pytest.fixture
def stores(tmp_path: Path) -> tuple[Store, Store]:
    made = Store(tmp_path / "one"), Store(tmp_path / "other")
    for store in made:
        store.put("cell", KEY, {"value": 1}, {})
        store.put("cell", "cd" * 32, {"value": 2}, {})
    return made


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_one_that_is_found(stores: tuple[Store, Store], damage: Damage) -> None:
    assert differences(*stores) == []
    damage(stores[1].root / FOLDERS["cell"] / "ab" / KEY, random.Random(0))  # noqa: S311 - any place will do
    assert differences(*stores) == [f"cell {KEY}"]
    assert bool(stores[1].damage("cell", KEY)) == (damage is not remove)


def test_other_results_are_found(stores: tuple[Store, Store]) -> None:
    stores[1].drop("cell", KEY)
    stores[1].put("cell", KEY, {"value": 3}, {})
    assert differences(*stores) == [f"cell {KEY}"]


def test_a_run_that_hangs_is_killed_and_ends_a_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soak.runs.LIMIT", 0.1)
    run = subprocess.Popen(["sleep", "600"], stderr=subprocess.PIPE, text=True)  # noqa: S607 - any that takes long
    with pytest.raises(BrokenError, match="it hangs: sleep 600"):
        ended(run)
    assert run.returncode == -signal.SIGKILL


def test_what_does_not_hold_ends_a_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soak.runs.PATIENCE", 0)
    with pytest.raises(BrokenError, match="outlive their run"):
        wait_until_gone([1])
    with pytest.raises(BrokenError, match=r"^this$"):
        expect(False, "this")
