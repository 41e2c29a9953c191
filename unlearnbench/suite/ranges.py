"""What a suite says of tuning: how many trials, on which development episodes, in which search space."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, integers where both are; on a logarithmic scale with ``log``."""

    low: float
    high: float
    log: bool = False

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


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[object, ...]

    def at(self, share: float) -> object:
        """Return the value at a share in [0, 1) of the list."""
        return self.values[math.floor(share * len(self.values))]

    def to_plain(self) -> object:
        """Return the list as in a suite file."""
        return list(self.values)


Space = Mapping[str, Range | Choice]
"""The values to try, by the name of the parameter."""


@dataclass(frozen=True)
class Tuning:
    """The key ``tune`` of a suite."""

    space: Space = field(hash=False)
    """Shared by all unlearners; each uses the parameters that it has."""
    trials: int = 20
    """Parameter settings that are tried of each unlearner."""
    originals: int = 3
    """Development originals on which each setting is tried."""
    requests: int = 2
    """Development requests of each."""
    passes: float = 0.2
    """The most record passes that a setting may take to serve a request, over those of a retraining."""

    def to_dict(self) -> dict[str, object]:
        """Return the key as in a suite file."""
        numbers: dict[str, object] = {"trials": self.trials, "originals": self.originals, "requests": self.requests}
        return (
            numbers
            | {"passes": self.passes}
            | {"space": {name: values.to_plain() for name, values in sorted(self.space.items())}}
        )
