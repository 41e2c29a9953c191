"""A measured number with its uncertainty or, where it is not defined, the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

Status = Literal["ok", "no-interval", "degenerate", "undefined"]
"""What an estimate holds.

``ok``: a value with an interval. ``no-interval``: a value only. ``degenerate``: a value without spread, such as that of
a constant score. ``undefined``: no value.
"""

Scale = Literal["real", "positive", "share", "gain"]
"""The values a number can take: any; 0 or more, such as a time; [0, 1]; [-1, 1]. No interval leaves them."""


MEASURED: Final = ("seconds", "memory")
"""What the names of all numbers begin with that are measured of the machine, and not computed."""


def is_measured(name: str) -> bool:
    """Say whether two runs of the same work may differ in a number of this name."""
    return name.startswith(MEASURED)


@dataclass(frozen=True, slots=True)
class Estimate:
    """One metric of one cell."""

    value: float | None
    """None exactly when ``status`` is ``undefined``."""
    low: float | None = None
    """Lower end of the 95 % interval; None where there is no interval."""
    high: float | None = None
    """Upper end of the 95 % interval; None where there is no interval."""
    n: int = 0
    """Number of rows (or seeds) behind the value."""
    status: Status = "ok"
    reason: str = ""
    """Why the status is not ``ok``."""
    scale: Scale = "real"
    """The values that it can take, which intervals of its mean over seeds keep to."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Numbers that help to judge the value, such as a design effect or a realized false positive rate."""

    def __post_init__(self) -> None:
        if (self.value is None) != (self.status == "undefined"):
            raise ValueError(f"value {self.value} does not go with status {self.status!r}")
        if self.status != "ok" and not self.reason:
            raise ValueError(f"status {self.status!r} needs a reason")
        if not all(math.isfinite(number) for number in (self.value, self.low, self.high) if number is not None):
            raise ValueError(f"{self.value} [{self.low}, {self.high}] is not finite; say Estimate.undefined(reason)")

    def without_interval(self, reason: str) -> Estimate:
        """Return the value alone, with the reason; an estimate that has no interval stays as it is."""
        if self.status != "ok":
            return self
        return replace(self, low=None, high=None, status="no-interval", reason=reason)

    @classmethod
    def undefined(cls, reason: str, n: int = 0) -> Estimate:
        """Return an estimate without a value."""
        return cls(None, n=n, status="undefined", reason=reason)
