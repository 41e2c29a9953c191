"""What a training-stage defense asks of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TrainingOption = Literal["dp", "dropout"]
"""A way to train that a kind of model may or may not know."""


@dataclass(frozen=True)
class DPSGD:
    """Differentially private gradient descent: clipped per-record gradients, Poisson batches, Gaussian noise.

    noise_multiplier: standard deviation of the noise on a batch's sum of gradients, in units of ``clip`` · clip:
    largest Euclidean norm of one record's gradient · delta: the probability at which epsilon is reported.
    """

    noise_multiplier: float
    clip: float
    delta: float


@dataclass(frozen=True)
class TrainingOptions:
    """How to train beyond what the model's own parameters say; as it stands, in no other way.

    dp: differentially private gradient descent, or None · dropout: share of hidden units left out in each step.
    """

    dp: DPSGD | None = None
    dropout: float = 0.0

    @property
    def used(self) -> frozenset[TrainingOption]:
        """What these options ask for."""
        asked: dict[TrainingOption, bool] = {"dp": self.dp is not None, "dropout": self.dropout > 0}
        return frozenset(option for option, is_asked in asked.items() if is_asked)


PLAIN = TrainingOptions()
"""No option: training as the model's own parameters say."""
