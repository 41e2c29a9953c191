"""A measured number together with its uncertainty and, where it is not defined, the reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["ok", "no-interval", "degenerate", "undefined"]
"""ok: value and interval · no-interval: value only · degenerate: value of a constant score · undefined: no value."""


@dataclass(frozen=True)
class Estimate:
    """One metric of one cell.

    ``value`` is None exactly when ``status`` is ``undefined``; ``low`` and ``high`` bound a 95 % interval and are
    None where there is none. ``n`` counts the rows (or seeds) behind the value. ``details`` holds plain numbers
    that a reader needs to judge the value, such as a design effect or a realized false-positive rate.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    status: Status = "ok"
    reason: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) != (self.status == "undefined"):
            raise ValueError(f"value {self.value} does not go with status {self.status!r}")
        if self.status != "ok" and not self.reason:
            raise ValueError(f"status {self.status!r} needs a reason")
        if not all(math.isfinite(number) for number in (self.value, self.low, self.high) if number is not None):
            raise ValueError(f"{self.value} [{self.low}, {self.high}] is not finite; say Estimate.undefined(reason)")

    @classmethod
    def undefined(cls, reason: str, n: int = 0) -> Estimate:
        """Return the estimate of a number that is not defined here."""
        return cls(None, n=n, status="undefined", reason=reason)
