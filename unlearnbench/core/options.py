"""Training options, which training-stage defenses set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrainingOption = Literal["dp", "dropout"]
"""A way to train that a kind of model may or may not support."""


@dataclass(frozen=True)
class DPSGD:
    """Differentially private gradient descent: clipped per-record gradients, Poisson batches, Gaussian noise."""

    noise_multiplier: float
    """Standard deviation of the noise on a batch's sum of gradients, in units of ``clip``."""
    clip: float
    """Largest Euclidean norm of one record's gradient."""
    delta: float
    """The delta at which epsilon is reported."""


@dataclass(frozen=True)
class TrainingOptions:
    """How to train, in addition to the model's own parameters. The default changes nothing."""

    dp: DPSGD | None = None
    """Differentially private gradient descent, or None."""
    dropout: float = 0.0
    """Share of hidden units left out in each step."""

    @property
    def used(self) -> frozenset[TrainingOption]:
        """The options that are set."""
        is_set: dict[TrainingOption, bool] = {"dp": self.dp is not None, "dropout": self.dropout > 0}
        return frozenset(option for option, yes in is_set.items() if yes)


PLAIN = TrainingOptions()
"""No option set: training by the model's own parameters."""
