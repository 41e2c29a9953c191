"""What a suite says of tuning: how many trials, on which development episodes, in which search space."""

from __future__ import annotations

from dataclasses import dataclass, field

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
