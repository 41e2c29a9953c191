"""Fine-tuning: go on training without the forgotten records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term, cross_entropy
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Finetune(GradientUnlearner):
    """Minimize the cross-entropy of the retain set by SGD, from the original on.

    Batch normalization: in training mode. Source of the values: Jia et al. 2023, arXiv 2304.04934, code. With nothing
    to forget it trains on all records.

    ``epochs``: passes over the retain set

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the retain set."""
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        term = Term("retain", self.loss, batch_size=self.batch_size)
        return [Stage(optimizer, [Pass([term], self.rate(epoch)) for epoch in range(self.epochs)])]

    def rate(self, epoch: int) -> float:
        """Return the factor of the learning rate in an epoch, counted from 0; 1 by default."""
        return 1.0

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the loss (n,) of each record; the cross-entropy by default, in nats."""
        return cross_entropy(batch)
