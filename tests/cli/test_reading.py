"""Commands that read a store change nothing there, and what they cannot read they tell in one line."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]
Change = Callable[..., None]
PART = ("--only", "unlearner=none", "--only", "attack=fails", "--only", "attack=random")
READING = (
    ("plan", "tiny.yaml"),
    ("status", "tiny.yaml"),
    ("status", "tiny.yaml", "--json"),
    ("results", "tiny.yaml"),
    ("results", "tiny.yaml", "--format", "csv"),
    ("suite", "check", "tiny.yaml"),
    ("suite", "show", "tiny.yaml"),
)
TRUSTED = "--run-plugin-files"
OF_THE_STORE = READING[:4]


def tree(folder: Path) -> dict[str, object]:
    """Return names, times and contents of all that is in a folder."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def entries(store: Path) -> list[Path]:
    return sorted(store.glob("cell-5/*/*"))


@pytest.fixture
def store(say: Say, change: Change, tmp_path: Path) -> Path:
    """Run a part of the suite, with an attack that fails."""
    change(attacks=["fails"], plugins=["fails.py"])
    assert say("run", "tiny.yaml", *PART).code == 1
    return tmp_path / ".unlearnbench"


def one_line(said: Said, what: str) -> None:
    assert (said.code, said.out) == (2, "")
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("error: ")
    assert what in said.err
    assert len(said.err) < 300


def test_nothing_changes_however_damaged_the_store_is(say: Say, store: Path) -> None:
    whole, *others = entries(store)
    whole.write_bytes(whole.read_bytes()[:-3])
    for other in others:
        other.write_bytes(b"")
    for failure in store.glob("failures/*/*"):
        failure.write_text("{")
    for episode in store.glob("episode-3/*/*"):
        episode.unlink()
        episode.mkdir()
    (store / "tmp" / "half").write_bytes(b"of a run that was killed")
    (store / "cell-5" / "00").write_text("no folder")
    before = tree(store)
    for command in READING:
        assert say(*command, TRUSTED).code == 0, command
        assert tree(store) == before, command


def test_a_store_of_a_newer_version_is_told_and_kept(say: Say, store: Path) -> None:
    for entry in entries(store):
        text = entry.read_bytes().partition(b"\n")[0].partition(b" ")[2].replace(b'"schema":2', b'"schema":3')
        entry.write_bytes(sha256(text).hexdigest().encode() + b" " + text + b"\n")
    before = tree(store)
    for command in OF_THE_STORE[1:]:
        one_line(say(*command, TRUSTED), "an entry has schema 3, and this version of unlearnbench reads 2")
    one_line(say("run", "tiny.yaml", *PART), "an entry has schema 3, and this version of unlearnbench reads 2")
    kept = tree(store)
    assert {path for path in kept if "cell-5" in path} == {path for path in before if "cell-5" in path}


def test_what_cannot_be_read_is_told_and_counts_when_it_can(say: Say, store: Path) -> None:
    """A circle of links stands for what the system refuses to open: root may read everything else."""
    before = say("results", "tiny.yaml", *PART, TRUSTED)
    victim = entries(store)[0]
    kept = victim.rename(store / "kept")
    victim.symlink_to(victim)
    for command in OF_THE_STORE[1:]:
        one_line(say(*command, TRUSTED), "cannot read the store: Too many levels of symbolic links")
    one_line(say("run", "tiny.yaml", *PART), "cannot read the store: Too many levels of symbolic links")
    victim.unlink()
    kept.rename(victim)
    assert say("results", "tiny.yaml", *PART, TRUSTED) == before


@pytest.mark.parametrize("command", OF_THE_STORE)
@pytest.mark.parametrize("where", ["x" * 300, "circle"])
def test_a_store_that_no_system_opens_is_told(say: Say, tmp_path: Path, command: tuple[str, ...], where: str) -> None:
    (tmp_path / "circle").symlink_to("circle")
    one_line(say(*command, "--store", where), "cannot read the store: ")


@pytest.mark.parametrize("where", ["/dev/null", "/dev/null/below", "file/below", "x" * 300])
def test_a_run_into_what_is_no_folder_ends_before_anything_is_trained(say: Say, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("mine")
    one_line(say("run", "tiny.yaml", "--store", where), "cannot write to the store: ")
    assert (tmp_path / "file").read_text() == "mine"
