"""How much memory processes hold, and how many fit into the memory that a user allows."""

from __future__ import annotations

import os
import platform
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from unlearnbench.core.errors import UserError
from unlearnbench.engine.peaks import highest_memory

_PROCESSES: Final = Path("/proc")
_GROUP, _RESIDENT = 2, 21
"""Positions in the line of a process, counted from the field after its name."""


def workers_within(memory: int, own: int, worker: int) -> int:
    """Return how many workers fit into ``memory`` beside this process.

    ``own`` is the peak memory of this process, ``worker`` that of the largest worker so far; all in bytes. UserError
    where not even one worker fits.
    """
    if own + worker > memory:
        raise UserError(
            f"memory: {_mb(memory)} MB is too little: one worker held {_mb(worker)} MB and this process "
            f"{_mb(own)} MB; allow at least {_mb(own + worker) + 1} MB"
        )
    return (memory - own) // max(worker, 1)


def peak_memory() -> int:
    """Return the largest memory in bytes that this process has held; UserError where the system cannot say."""
    if platform.system() == "Linux":  # getrusage would include the process that this one was forked from
        return highest_memory()
    try:
        import resource
    except ImportError:
        raise UserError("memory: this system does not report the memory of a process; leave memory out") from None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


def memory_by_group() -> dict[int, int]:
    """Return the bytes that the processes of each process group hold now; UserError where the system cannot say."""
    held: Counter[int] = Counter()
    for file in _PROCESSES.glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            after_name = file.read_bytes().rpartition(b")")[2].split()
            held[int(after_name[_GROUP])] += int(after_name[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE")
    if not held:
        raise UserError("memory: only Linux tells how much memory other processes hold; leave out the limit of a task")
    return held


def _mb(number: int) -> int:
    return round(number / 10**6)
