"""Random labels: train the forgotten records on other labels than theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

Variant = Literal["static", "epoch", "mixed"]


@dataclass(frozen=True)
class RandomLabel(GradientUnlearner):
    """Minimize the cross-entropy of random labels on the forget set, and of the true ones on the retain set, by SGD.

    ``static``: another label than the true one, drawn once; all records in random order (Foster et al. 2024, arXiv
    2308.07707). ``epoch``: a label of all C, the true one included, drawn in each epoch, which goes first over the
    forget set and then over the retain set. ``mixed``: labels as for ``epoch``, all records in random order (both: Fan
    et al. 2024, arXiv 2310.12508, code; values too). Batch normalization: in training mode. With nothing to forget it
    is fine-tuning.

    ``variant``: how labels are drawn and batches made

    ``epochs``: passes over all records

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    variant: Variant = "epoch"
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.013
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over all records."""
        epoch = [self._over("forget"), self._over("retain")] if self.variant == "epoch" else [self._over("both")]
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return [Stage(optimizer, epoch * self.epochs)]

    def _over(self, over: Literal["retain", "forget", "both"]) -> Pass:
        return Pass([Term(over, self._loss, batch_size=self.batch_size)])

    def _loss(self, batch: Batch) -> torch.Tensor:
        if not batch.forgotten.any():  # so it is in most steps, and draws take as long as a step
            return batch.cross_entropy(batch.labels)
        drawn = other_labels(batch) if self.variant == "static" else any_labels(batch)
        return batch.cross_entropy(drawn.where(batch.forgotten, batch.labels))


def other_labels(batch: Batch) -> torch.Tensor:
    """Return for each record a label (n,) other than its own, the same in all passes."""
    step = 1 + (batch.draws(fixed=True) * (batch.n_classes - 1)).long()
    return (batch.labels + step) % batch.n_classes


def any_labels(batch: Batch) -> torch.Tensor:
    """Return for each record a label (n,) of all classes, drawn in each pass."""
    return (batch.draws() * batch.n_classes).long()
