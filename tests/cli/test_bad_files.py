"""Every command with a wrong option, and every file that a user names with what is none: one line, exit code 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from unlearnbench.cli import app
from unlearnbench.cli.app import VERBS

if TYPE_CHECKING:
    from tests.cli.conftest import Said

Say = Callable[..., "Said"]

FILES: dict[str, tuple[str, ...]] = {
    "suite check": ("suite", "check", "FILE.yaml"),
    "suite show": ("suite", "show", "FILE.yaml"),
    "plan": ("plan", "FILE.yaml"),
    "run": ("run", "FILE.yaml"),
    "status": ("status", "FILE.yaml"),
    "results": ("results", "FILE.yaml"),
    "plot": ("plot", "roc", "FILE.yaml"),
    "leaderboard pack": ("leaderboard", "pack", "FILE.yaml", "--name", "a", "--author", "b"),
    "audit npz": ("audit", "FILE.npz"),
    "audit csv": ("audit", "FILE.csv"),
    "audit parquet": ("audit", "FILE.parquet"),
    "reconstruct": ("reconstruct", "FILE.npz"),
    "plugin file": ("plugins", "list", "--plugin-file", "FILE.py"),
    "plugins check": ("plugins", "check", "FILE.py"),
}
"""A command line for each kind of file that a user names."""


def unreadable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a file that may not be read, also by root."""
    path.write_text("suite: FILE\n")
    for name in ("open", "read_bytes", "read_text"):
        monkeypatch.setattr(Path, name, _refusing(getattr(Path, name), path.name))
    monkeypatch.setattr("builtins.open", _refusing(open, path.name))


def _refusing(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    def refuse(path: Any, *arguments: Any, **named: Any) -> Any:
        if str(path).endswith(name):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments, **named)

    return refuse


MAKERS: dict[str, Callable[[Path, pytest.MonkeyPatch], Any]] = {
    "missing": lambda path, _: None,
    "a folder": lambda path, _: path.mkdir(),
    "empty": lambda path, _: path.write_bytes(b""),
    "binary": lambda path, _: path.write_bytes(bytes(range(256)) * 8),
    "unreadable": unreadable,
}


@pytest.mark.parametrize("what", MAKERS)
@pytest.mark.parametrize("command", FILES)
def test_a_file_that_is_none_is_told_in_one_line(
    command: str, what: str, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (name,) = (word for word in FILES[command] if word.startswith("FILE"))
    before = {*tmp_path.iterdir(), tmp_path / name}
    with monkeypatch.context() as patch:
        MAKERS[what](tmp_path / name, patch)
        said = say(*FILES[command])
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert name.partition(".")[0] in line
    assert len(line) <= len("error: ") + 300
    assert {*tmp_path.iterdir()} <= before, "something was written"


def leaves(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command without sub-commands."""
    below = getattr(command, "commands", {})
    yield from ([path] if not below else [])
    for name, each in below.items():
        yield from leaves(each, (*path, name))


COMMANDS = [words for verb in VERBS for words in leaves(app._load(verb), (verb,))]


def test_all_commands_are_found() -> None:
    assert len(COMMANDS) > len(VERBS)
    assert ("leaderboard", "check") in COMMANDS


@pytest.mark.parametrize("option", ["--no-such-option", "-Z", "--\x1b[2J", "--\u202eevil"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_wrong_option_is_told_in_one_line(command: tuple[str, ...], option: str, say: Say, tmp_path: Path) -> None:
    before = {*tmp_path.iterdir()}
    said = say(*command, option)
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.isprintable()
    assert f"(see unlearnbench {' '.join(command)} --help)" in line
    assert {*tmp_path.iterdir()} == before
