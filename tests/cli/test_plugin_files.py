"""Which commands execute the plug-in files that a suite names: ``run``, and those that are told to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]

READING = {
    "suite check": ("suite", "check", "tiny.yaml"),
    "suite show": ("suite", "show", "tiny.yaml"),
    "plan": ("plan", "tiny.yaml"),
    "status": ("status", "tiny.yaml"),
    "results": ("results", "tiny.yaml"),
    "plot": ("plot", "roc", "tiny.yaml"),
    "leaderboard pack": ("leaderboard", "pack", "tiny.yaml", "--name", "a", "--author", "b"),
}


@pytest.fixture
def marker(change: Change, tmp_path: Path) -> Path:
    """Return the file that the suite's plug-in file makes when it is executed."""
    marker = tmp_path / "executed"
    file = tmp_path / "fails.py"
    file.write_text(f"open({str(marker)!r}, 'w').close()\n{file.read_text()}")
    change(attacks=["fails"], plugins=["fails.py"])
    return marker


@pytest.mark.parametrize("command", READING)
def test_a_command_that_reads_a_suite_executes_none_of_its_files(command: str, say: Say, marker: Path) -> None:
    said = say(*READING[command])
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert 'unknown attack "fails"' in line
    assert line.endswith("executes it)")
    assert "--run-plugin-files" in line
    assert not marker.exists()


@pytest.mark.parametrize("command", READING)
def test_it_does_where_it_is_told_to(command: str, say: Say, marker: Path) -> None:
    said = say(*READING[command], "--run-plugin-files")
    assert "unknown attack" not in said.err
    assert marker.exists()


def test_a_run_executes_them_and_needs_no_option(say: Say, marker: Path) -> None:
    assert "no such option" in say("run", "tiny.yaml", "--run-plugin-files").err
    assert not marker.exists()
    assert say("run", "tiny.yaml", "--only", "unlearner=none", "--only", "attack=fails").code == 1
    assert marker.exists()


@pytest.mark.parametrize("command", ["suite check", "plan"])
def test_a_file_given_by_hand_is_enough(command: str, say: Say, marker: Path) -> None:
    assert say(*READING[command], "--plugin-file", "fails.py").code == 0
    assert marker.exists()
