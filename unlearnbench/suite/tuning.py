"""What a suite says of tuning: how many trials, on which episodes, in which search space; and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from unlearnbench.core.ranges import Space


@dataclass(frozen=True)
class Tuning:
    """The key ``tune`` of a suite."""

    space: Space = field(hash=False)
    """Shared by all unlearners; each uses the parameters that it has."""
    knobs: bool = True
    """Whether an unlearner also tries the ranges that its record names, of parameters that are not in the space."""
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
            | {"passes": self.passes, "knobs": self.knobs}
            | {"space": {name: values.to_plain() for name, values in sorted(self.space.items())}}
        )


@dataclass(frozen=True)
class TrialRecord:
    """One setting of one unlearner that was tried, and what came of it: an item of the key ``trials`` of a suite."""

    unlearner: str
    """Its label with the parameters that it has without tuning."""
    trial: int
    """From 1 on."""
    values: Mapping[str, object] = field(hash=False)
    """The parameters that the trial set."""
    objective: float | None = None
    """From 0 to 1, the lower the better; None where it failed."""
    chosen: bool = False
    """Whether the suite lists the unlearner with these values too."""
    reason: str = ""
    """Why it failed."""

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as in a suite file."""
        return {name: value for name, value in vars(self).items() if name not in UNSAID or value != UNSAID[name]}


UNSAID: Final[Mapping[str, object]] = {"objective": None, "chosen": False, "reason": ""}
"""What a trial is where the suite file does not say it."""
