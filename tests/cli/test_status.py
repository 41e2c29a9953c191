from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]


def test_status_before_and_after_a_run(say: Say, tmp_path: Path) -> None:
    assert json.loads(say("status", "tiny.yaml", "--json").out) == {
        "suite": "tiny",
        "cells": {"missing": 24},
        "episodes": {"missing": 16},
        "failures": [],
    }
    assert not (tmp_path / ".unlearnbench").exists()
    say("run", "tiny.yaml", "--only", "unlearner=none")
    assert json.loads(say("status", "tiny.yaml", "--json").out)["cells"] == {"ok": 6, "missing": 18}
    lines = [line.split() for line in say("status", "tiny.yaml").out.splitlines()]
    assert ["ok", "4", "6"] in lines
    assert ["missing", "12", "18"] in lines


def test_status_tells_each_failure_with_its_reason_and_each_skipped_cell_as_such(say: Say, change: Change) -> None:
    change(
        attacks=["fails", "euclidean"], plugins=["fails.py"], exclude=[{"attack": "euclidean", "because": "not now"}]
    )
    say("run", "tiny.yaml", "--only", "unlearner=retrain")
    only = ("--only", "unlearner=retrain", "--run-plugin-files")
    told = json.loads(say("status", "tiny.yaml", *only, "--json").out)
    assert told["cells"] == {"ok": 5, "failed": 1, "skipped": 1}
    (failure,) = told["failures"]
    assert (failure["attack"], failure["status"], failure["seed"]) == ("fails", "failed", 0)
    assert failure["reason"] == "RuntimeError: no score today"
    said = say("status", "tiny.yaml", *only)
    assert said.code == 0
    assert "RuntimeError: no score today" in said.out


def test_means_are_no_cells(say: Say, change: Change) -> None:
    change(seeds=[0, 1])
    assert json.loads(say("status", "tiny.yaml", "--json").out)["cells"] == {"missing": 48}
