"""Real runs in processes of their own: how they are started, watched and compared."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from unlearnbench.run.merging import same_results
from unlearnbench.run.store import FOLDERS, KINDS, Store

LIMIT = 1800
"""Seconds after which a run of seconds hangs, on a machine that others use too."""
PATIENCE = 60
"""Seconds in which what a run has started must end after it."""


class BrokenError(Exception):
    """A run ended as none may; the message says how."""


def expect(holds: bool, otherwise: str) -> None:
    """Raise :class:`BrokenError` with a message where something does not hold."""
    if not holds:
        raise BrokenError(otherwise)


def start(
    suite: Path,
    store: Path,
    *options: str,
    errors: IO[str] | IO[bytes] | int = subprocess.PIPE,
    before: Callable[[], object] | None = None,
) -> subprocess.Popen[str]:
    """Start a run; what it prints to standard error goes to ``errors``. ``before`` is called in its process first."""
    command = [sys.executable, "-m", "unlearnbench", "run", str(suite), "--store", str(store), *options]
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        text=True,
        preexec_fn=before,
    )


def ended(run: subprocess.Popen[str]) -> str:
    """Wait until a run ends; return what it complained about. BrokenError where it hangs: it is killed then."""
    try:
        return run.communicate(timeout=LIMIT)[1]
    except subprocess.TimeoutExpired:
        run.kill()
        raise BrokenError(f"it hangs: {' '.join(map(str, run.args))}: {run.communicate()[1]}") from None  # type: ignore[arg-type]  # a list of texts, as it was given


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have.

    Python's own resource tracker is none: one that is started in place of a killed one prints tracebacks, which harm
    nothing.
    """
    parent_of = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            if b"resource_tracker" in file.with_name("cmdline").read_bytes():
                continue
            parent_of[int(file.parent.name)] = int(file.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return _below(pid, parent_of)


def _below(pid: int, parent_of: dict[int, int]) -> list[int]:
    own = [child for child, parent in parent_of.items() if parent == pid]
    return own + [each for child in own for each in _below(child, parent_of)]


def wait_until_gone(pids: Sequence[int]) -> None:
    """Wait until none of these processes runs; BrokenError where one goes on."""
    end = time.monotonic() + PATIENCE
    while left := [pid for pid in pids if _runs(pid)]:
        expect(time.monotonic() < end, f"these processes outlive their run: {left}")
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def entries(store: Path) -> list[Path]:
    """Return the files of all entries."""
    found = (file for folder in FOLDERS.values() for file in store.glob(f"{folder}/*/*"))
    return [file for file in found if ".damaged-" not in file.name]


def wait_for(run: subprocess.Popen[str], store: Path, more: int) -> None:
    """Wait until so many entries have been added, or the run has ended."""
    goal = len(entries(store)) + more
    while run.poll() is None and len(entries(store)) < goal:
        time.sleep(0.002)


def differences(expected: Store, found: Store) -> list[str]:
    """Return the entries of a store that another one lacks, or holds with other results."""
    return [f"{kind} {key}" for kind in KINDS for key in expected.keys(kind) if not _same(expected, found, kind, key)]


def _same(one: Store, other: Store, kind: str, key: str) -> bool:
    mine, theirs = one.get(kind, key), other.get(kind, key)
    return mine is not None and theirs is not None and same_results(mine, theirs)
