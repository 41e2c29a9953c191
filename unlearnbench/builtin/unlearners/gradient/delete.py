"""DELETE: learn the original's answers to the forget set without the true class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Delete(GradientUnlearner):
    """Minimize KL(p || network) on the forget set by SGD: p has the original's posteriors, with 0 for the true class.

    The others are normalized again; of two classes p is the wrong one. Batch normalization: in training mode. With
    nothing to forget the network stays. Source: Zhou et al. 2025, arXiv 2503.23751; step size and epochs are ours.

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD
    """

    epochs: NonNegativeInt = 5
    learning_rate: NonNegativeFloat = 0.001
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the forget set."""
        one = Pass([Term("forget", without_true_class, batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate, momentum=self.momentum), [one] * self.epochs)]


def without_true_class(batch: Batch) -> torch.Tensor:
    """Return the divergence (n,) from the original's posteriors of the other classes, in nats."""
    target = batch.original.scatter(1, batch.labels.unsqueeze(1), float("-inf"))
    return batch.divergence(target)
