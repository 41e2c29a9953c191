"""NegGrad+: descend on what stays, climb on what goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class NegGradPlus(GradientUnlearner):
    """Minimize ``alpha`` [CE(retain) + ``anchor`` / 2 d^2] - (1 - ``alpha``) CE(forget) by SGD.

    d is the distance of the weights from the original's. Every step takes a batch of the retain set and one of the
    forget set; an epoch goes once over the retain set, and over the forget set as often as that takes, in a new order
    each time. ``alpha`` = 1 is fine-tuning. The second term has no bound. Batch normalization: in evaluation mode,
    without dropout. Source: Kurmanji et al. 2023, arXiv 2302.09880; values of its code at small scale.

    ``alpha``: weight of the retain set

    ``epochs``: passes over the retain set

    ``learning_rate``: step size

    ``batch_size``: records of a batch of the retain set

    ``forget_batch_size``: records of a batch of the forget set

    ``momentum``: of SGD

    ``anchor``: how strongly weights are held where they were
    """

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.95
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64
    forget_batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.0
    anchor: NonNegativeFloat = 0.0

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")
    mode: ClassVar[Literal["train", "eval"]] = "eval"

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over both sets side by side."""
        down = Term("retain", weight=self.alpha, batch_size=self.batch_size)
        up = Term("forget", weight=self.alpha - 1, batch_size=self.forget_batch_size)
        passes = [Pass([down, up], penalty=self._pull if self.anchor else None)] * self.epochs
        return [Stage(Optimizer(self.learning_rate, momentum=self.momentum), passes)]

    def _pull(self, weight: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        return self.alpha * self.anchor * (weight - start)
