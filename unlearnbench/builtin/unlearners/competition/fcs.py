"""FCS: forget records are made uniform, then unlike the retained ones, in turns with training on these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term, cosine
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class FCS(GradientUnlearner):
    """Minimize KL(uniform || network) on the forget set once, then in each epoch a contrast and CE(retain), by SGD.

    The contrast of a batch of the forget set with one of the retain set is the mean over their pairs of
    -log softmax(z_f z_r / T), over r: logits z_f against the logits z_r, which are not trained. Its learning rate falls
    by half a cosine over all its steps, to 1/300. The three losses have optimizers of their own, the last two through
    all epochs. Batch normalization: in training mode. With nothing to forget it is training on the retain set. Source:
    first place of the NeurIPS 2023 competition, in the code of Cadet et al. 2024, arXiv 2410.01276; values too.

    ``epochs``: of the contrast, each followed by a pass over the retain set

    ``learning_rate``: step size of the first pass

    ``contrast_learning_rate``: first step size of the contrast

    ``retain_learning_rate``: step size on the retain set, for 64 records; in proportion to ``batch_size``

    ``batch_size``: records of a batch

    ``temperature``: T

    ``momentum``: of SGD

    ``weight_decay``: L2 factor on the retain set, added to the gradient
    """

    epochs: NonNegativeInt = 8
    learning_rate: NonNegativeFloat = 0.005
    contrast_learning_rate: NonNegativeFloat = 3e-4
    retain_learning_rate: NonNegativeFloat = 1e-3
    batch_size: PositiveInt = 256
    temperature: PositiveFloat = 1.15
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 0.01

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return the first pass, then the epochs of two passes."""
        first = Pass([Term("forget", from_uniform, batch_size=self.batch_size)])
        passes = [each for epoch in range(self.epochs) for each in self._epoch(epoch)]
        return [
            Stage(Optimizer(self.learning_rate, momentum=self.momentum), [first]),
            Stage(Optimizer(self.contrast_learning_rate, momentum=self.momentum), passes),
        ]

    def _epoch(self, epoch: int) -> list[Pass]:
        def rate(done: float) -> float:
            return cosine((epoch + done) / self.epochs, least=1 / 300)

        pairs = Term("forget", self.contrast, batch_size=self.batch_size, beside="retain")
        step = self.retain_learning_rate * self.batch_size / 64
        own = Optimizer(step, momentum=self.momentum, weight_decay=self.weight_decay)
        return [Pass([pairs], rate), Pass([Term("retain", batch_size=self.batch_size)], optimizer=own)]

    def contrast(self, batch: Batch) -> torch.Tensor:
        """Return for each record (n,) the mean over the records beside it, in nats."""
        pairs = batch.by_network(batch.logits) @ batch.by_network(batch.beside.logits).mT
        return -(pairs / self.temperature).log_softmax(dim=2).mean(dim=2).flatten()


def from_uniform(batch: Batch) -> torch.Tensor:
    """Return KL(uniform || network) (n,), in nats."""
    import torch

    return batch.divergence(torch.zeros_like(batch.logits))
