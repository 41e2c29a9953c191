"""How much memory a process held at most, and how many workers fit into what a user allows."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from unlearnbench.core.errors import UserError

UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as ``4GB`` or ``1.5 GiB``; UserError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([A-Za-z]+)", text.strip())
    unit = next((each for each in UNITS if match and each.lower() == match[2].lower()), None)
    if match is None or unit is None or not (number := int(float(match[1]) * UNITS[unit])):
        raise UserError(f'memory: "{text}" is not a size; write a number and {", ".join(UNITS)}, for example 4GB')
    return number


def workers_within(memory: int, own: int, worker: int) -> int:
    """Return how many workers fit into ``memory`` beside this process, which holds ``own``; all in bytes.

    ``worker`` is what one worker held at most so far. UserError where not even one fits.
    """
    if own + worker > memory:
        raise UserError(
            f"memory: {_mb(memory)} MB is too little: one worker held {_mb(worker)} MB and this process "
            f"{_mb(own)} MB; allow at least {_mb(own + worker) + 1} MB"
        )
    return (memory - own) // max(worker, 1)


def peak_memory() -> int:
    """Return the bytes of memory that this process held at most so far; UserError where the system does not tell."""
    if platform.system() == "Linux":  # getrusage would count what the process was a copy of before it became Python
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    try:
        import resource
    except ImportError:
        raise UserError("memory: this system does not tell what a process holds; leave --memory out") from None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if platform.system() == "Darwin" else 1024)


def _mb(number: int) -> int:
    return round(number / 10**6)
