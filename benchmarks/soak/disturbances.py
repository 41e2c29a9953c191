"""What is done to a run in its middle, and what must hold when it has ended."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from soak.runs import children, ended, entries, expect, start, wait_for, wait_until_gone

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENDS = {0, 1, 2, *(128 + stop for stop in STOPS), -signal.SIGKILL, *(-stop for stop in STOPS)}
"""Exit codes of a run that is disturbed; a signal that comes when the run handles none any more ends it at once."""


def kill_the_runner(run: subprocess.Popen[str], _: random.Random) -> None:
    """Leave it no moment to end in order."""
    run.kill()


def stop_the_runner(run: subprocess.Popen[str], rng: random.Random) -> None:
    """Ask it to end, as Ctrl-C, a batch system and a closed terminal do, once Python has started."""
    while run.poll() is None and not _handles_signals(run.pid):
        time.sleep(0.01)
    run.send_signal(rng.choice(STOPS))


def _handles_signals(pid: int) -> bool:
    """Return whether a run has set its handlers: before, an interrupt is answered by Python, with a traceback."""
    with suppress(OSError):
        handled = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
        return handled is not None and bool(int(handled[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


def kill_one_that_it_started(run: subprocess.Popen[str], rng: random.Random) -> None:
    """Kill a worker, or the process of an attack; the run goes on."""
    if family := children(run.pid):
        with suppress(ProcessLookupError):
            os.kill(rng.choice(family), signal.SIGKILL)


def kill_all_that_it_started(run: subprocess.Popen[str], _: random.Random) -> None:
    """Kill workers and processes of attacks; the run goes on."""
    for pid in children(run.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def leave_it_alone(_: subprocess.Popen[str], __: random.Random) -> None:
    """Do nothing: the run meets what was damaged before it."""


Disturbance = Callable[[subprocess.Popen[str], random.Random], None]
DISTURBANCES: tuple[Disturbance, ...] = (
    kill_the_runner,
    stop_the_runner,
    kill_one_that_it_started,
    kill_all_that_it_started,
    leave_it_alone,
)


def fill_the_disk() -> None:
    """Let this process write no file of more than a few kilobytes, which fails in the middle as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))


def disturbed_run(suite: Path, store: Path, options: tuple[str, ...], rng: random.Random) -> tuple[str, int]:
    """Run a suite and disturb it at a random moment; return what was done and the most memory it held.

    BrokenError where it ends in another way than it may, loses an entry, or leaves a process.
    """
    disturb, full = rng.choice(DISTURBANCES), rng.random() < 0.1
    run = start(suite, store, *options, before=fill_the_disk if full else None)
    wait_for(run, store, rng.randint(0, 12))
    time.sleep(rng.random() * 0.2)
    family, held, seen = children(run.pid), memory_of(run.pid), len(entries(store))
    disturb(run, rng)
    said = ended(run)
    expect(run.returncode in ENDS and "Traceback" not in said, f"exit code {run.returncode}: {said}")
    expect(len(entries(store)) >= seen, "entries that were stored are gone")
    wait_until_gone(family)
    return f"{'a full disk, ' if full else ''}{disturb.__name__.replace('_', ' ')}", held


def memory_of(pid: int) -> int:
    """Return the bytes that a process and all that it started hold now."""
    pages = 0
    for each in (pid, *children(pid)):
        with suppress(OSError, IndexError):  # it has ended
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * resource.getpagesize()
