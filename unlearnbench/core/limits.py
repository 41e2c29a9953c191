"""How long a task of a run may take, and how much memory its process may hold."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from unlearnbench.core.errors import UserError

UNITS: Final = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SIZE: Final = r"^\s*(\d+(?:\.\d+)?) ?([MGTmgt][Ii]?[Bb])\s*$"
"""The form of a size: a number and a unit."""


@dataclass(frozen=True)
class Limits:
    """The limits of each task: one episode, or the evaluation of one cell. They never change a result."""

    timeout: float | None = None
    """The most seconds of wall time, with what the task must load, compile and train first; None for no limit."""
    memory: int | None = None
    """The most bytes that the process of a task may hold in memory; None for no limit."""

    def __post_init__(self) -> None:
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise UserError(f"timeout: must be a number of seconds above 0, got {self.timeout}")

    def replaced_by(self, timeout: float | None = None, memory: str = "") -> Limits:
        """Return these limits with those that are given in their place; UserError for one that is wrong."""
        given = self.timeout if timeout is None else timeout
        return Limits(given, bytes_of(memory) if memory else self.memory)

    def to_dict(self) -> dict[str, object]:
        """Return the limits that there are, as in a suite file."""
        timeout = {} if self.timeout is None else {"timeout": self.timeout}
        return timeout | ({} if self.memory is None else {"memory": f"{self.memory / 10**6}MB"})

    def __bool__(self) -> bool:
        return self.timeout is not None or self.memory is not None


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as ``4GB`` or ``1.5 GiB``; UserError for anything else."""
    match = re.match(SIZE, text, re.ASCII)
    bytes_of_unit = {unit.lower(): size for unit, size in UNITS.items()}
    if not (match and (number := int(float(match[1]) * bytes_of_unit[match[2].lower()]))):
        raise UserError(f'memory: "{text}" is not a size; write a number and {", ".join(UNITS)}, for example 4GB')
    return number
