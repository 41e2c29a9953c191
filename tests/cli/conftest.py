"""A tiny suite to run verbs on, and verbs that are run as from a shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from unlearnbench.cli import main

TINY = """
suite: tiny
version: 1
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain]
attacks: [sorted-diff]
episodes: {originals: 2, requests: 2, records: 60, negatives: 5, matched: 1, retained: 2}
engine: reference
"""

FAILING = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Fails(ScoreAttack):
    def score(self, view):
        raise RuntimeError("no score today")

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="fails", summary="Fails.", factory=Fails)
"""


class Said(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command line in a folder of its own, where ``tiny.yaml`` and ``fails.py`` lie."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNLEARNBENCH_STORE", raising=False)
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "fails.py").write_text(FAILING)

    def say(*arguments: str) -> Said:
        code = main(arguments)
        return Said(code, *capsys.readouterr())

    return say


@pytest.fixture
def change(tmp_path: Path, say: Callable[..., Said]) -> Callable[..., None]:
    """Change keys of the tiny suite."""

    def change(**keys: object) -> None:
        lines = [line for line in TINY.strip().splitlines() if line.partition(":")[0] not in keys]
        changed = [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
        (tmp_path / "tiny.yaml").write_text("\n".join([*lines, *changed]))

    return change
