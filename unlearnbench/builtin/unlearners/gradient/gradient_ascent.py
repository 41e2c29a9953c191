"""Gradient ascent: climb the loss of the forgotten records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen


@dataclass(frozen=True)
class GradientAscent(GradientUnlearner):
    """Maximize the cross-entropy of the forget set by SGD.

    The loss has no bound: large steps ruin the network. Batch normalization: in training mode. With nothing to forget
    the network stays as it is. Source: Graves et al. 2021, arXiv 2010.10981; the values are those of Jia et al. 2023,
    arXiv 2304.04934, code.

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``batch_size``: records of a batch
    """

    epochs: NonNegativeInt = 5
    learning_rate: NonNegativeFloat = 1e-4
    batch_size: PositiveInt = 64

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the forget set, uphill."""
        climb = Term("forget", weight=-1.0, batch_size=self.batch_size)
        return [Stage(Optimizer(self.learning_rate), [Pass([climb])] * self.epochs)]
