"""NegGrad+ with the whole forget set in every step (after Kurmanji et al., NeurIPS 2023, arXiv 2302.09880)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, NonNegativeFloat, PositiveInt
from unlearnbench import GradientUnlearner, Optimizer, Original, Pass, Stage, Term


@dataclass(frozen=True)
class NegGradPlus(GradientUnlearner):
    """Minimize ``alpha`` CE(retain batch) - (1 - ``alpha``) CE(forget set) by SGD with momentum 0.9.

    CE is the mean cross-entropy in nats, under the dropout that the model was trained with. An epoch goes once over the
    retain set, in a random order; every step sees the whole forget set. The second term has no bound: a small ``alpha``
    or many steps ruin the model, so look at its accuracy beside the leak. ``alpha`` = 1 is fine-tuning. Goes with
    networks. Source: Kurmanji et al. 2023, section 3; 0.95 and a step size of 0.01 are values in use for CIFAR-10.
    """

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.95
    learning_rate: NonNegativeFloat = 0.01
    epochs: PositiveInt = 5
    batch_size: PositiveInt = 256

    sees: ClassVar[tuple[str, ...]] = ("forget-set", "retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the retain set, each step with the whole forget set beside its batch."""
        down = Term("retain", weight=self.alpha, batch_size=self.batch_size)
        up = Term("forget", weight=self.alpha - 1, batch_size=sys.maxsize)
        return [Stage(Optimizer(self.learning_rate, momentum=0.9), [Pass([down, up])] * self.epochs)]
