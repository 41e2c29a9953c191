"""What values of a parameter are tried in tuning: a range or a list."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, integers where both are; on a logarithmic scale with ``log``.

    ValueError unless low is below high, both finite, and above 0 on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low must be below high, both finite, got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low must be above 0 on a logarithmic scale, got {self.low}")

    def at(self, share: float) -> object:
        """Return the value at a share in [0, 1) of the range."""
        if self.log:
            value = math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low)))
            return min(round(value), int(self.high)) if self._integers else value
        if self._integers:
            return int(self.low) + math.floor(share * (int(self.high) - int(self.low) + 1))
        return self.low + share * (self.high - self.low)

    @property
    def _integers(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def to_plain(self) -> object:
        """Return the range as in a suite file."""
        return {"low": self.low, "high": self.high} | ({"log": True} if self.log else {})

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' on a logarithmic scale' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of some values; ValueError for none."""

    values: tuple[object, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("must list at least one value")

    def at(self, share: float) -> object:
        """Return the value at a share in [0, 1) of the list."""
        return self.values[math.floor(share * len(self.values))]

    def to_plain(self) -> object:
        """Return the list as in a suite file."""
        return list(self.values)

    def __str__(self) -> str:
        return " or ".join(map(str, self.values))


Space = Mapping[str, Range | Choice]
"""The values to try, by the name of the parameter."""
