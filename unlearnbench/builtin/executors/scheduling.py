"""Which task a worker process does next, and how many workers fit into the memory that a user allows."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic

from unlearnbench.core.errors import UserError
from unlearnbench.core.executors import Task

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


class Queue(Generic[Task]):
    """Tasks to do, in the order given, except that the first task with the same kernels is done alone.

    Compiled kernels are cached on disk: what one worker has compiled, all others load. So tasks wait while the first
    one with their kernels is being done, and tasks with other kernels go ahead of them.

    The parent process does not compile the kernels beforehand: a plug-in that crashes would end the run. Whether the
    cache holds the kernels already cannot be asked of numba.
    """

    def __init__(self, tasks: Sequence[Task], kernels: Callable[[Task], str]) -> None:
        self._left = list(tasks)
        self._kernels = kernels
        self._compiled: set[str] = set()
        self._compiling: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self) -> Task | None:
        """Return the next task that need not wait, or None."""
        index = next((i for i, task in enumerate(self._left) if self._kernels(task) not in self._compiling), None)
        if index is None:
            return None
        task = self._left.pop(index)
        if (kernels := self._kernels(task)) and kernels not in self._compiled:
            self._compiling.add(kernels)
        return task

    def done(self, task: Task) -> None:
        """Release the tasks that waited for this one; also if it failed, or they could never start."""
        self._compiled.add(self._kernels(task))
        self._compiling.discard(self._kernels(task))


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as ``4GB`` or ``1.5 GiB``; UserError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)", text.strip())
    unit = next((each for each in UNITS if match and each.lower() == match[2].lower()), None)
    if match is None or unit is None or not (number := int(float(match[1]) * UNITS[unit])):
        raise UserError(f'memory: "{text}" is not a size; write a number and {", ".join(UNITS)}, for example 4GB')
    return number


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
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    try:
        import resource
    except ImportError:
        raise UserError("memory: this system does not report the memory of a process; leave memory out") from None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


def _mb(number: int) -> int:
    return round(number / 10**6)
