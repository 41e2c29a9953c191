"""KDE: the first and the last layer are drawn anew, then the network is taught by the original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional, convolutions_of
from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.fresh import initialize
from unlearnbench.engine.gradients.layers import linear_layers
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term, cosine
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class KDE(Convolutional):
    """Draw the first convolution and the last linear layer anew, then learn the original's answers by SGD.

    First KL on validation records, then CE + H + KL on the retain set; KL is that of the original's posteriors to the
    network's, H the cross-entropy of the same, both at temperature T and without the factor T^2. There the learning
    rate falls by half a cosine from epoch to epoch. Without validation records the first part has no steps. Batch
    normalization: in training mode. Source: NeurIPS 2023 competition, in the code of Cadet et al.
    2024, arXiv 2410.01276; values too.

    ``epochs``: passes over the retain set

    ``learning_rate``: first step size on the retain set

    ``warmup_epochs``: passes over validation records

    ``warmup_learning_rate``: step size on validation records

    ``batch_size``: records of a batch

    ``temperature``: T

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    epochs: NonNegativeInt = 3
    learning_rate: NonNegativeFloat = 1e-3
    warmup_epochs: NonNegativeInt = 3
    warmup_learning_rate: NonNegativeFloat = 9e-4
    batch_size: PositiveInt = 64
    temperature: PositiveFloat = 5.0
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "validation-set", "labels")

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Draw the two layers anew."""
        for name, layer in (("first", convolutions_of(module)[0]), ("last", linear_layers(module)[-1])):
            initialize(layer, (deletion.seeds / name).seed())

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over validation records, then over the retain set."""
        warmup = Term("validation", self.distance, batch_size=self.batch_size)
        taught = Term("retain", self.retain_loss, batch_size=self.batch_size)
        return [
            self._stage(self.warmup_learning_rate, [Pass([warmup])] * self.warmup_epochs),
            self._stage(self.learning_rate, [Pass([taught], cosine(e / self.epochs)) for e in range(self.epochs)]),
        ]

    def _stage(self, rate: float, passes: Sequence[Pass]) -> Stage:
        return Stage(Optimizer(rate, momentum=self.momentum, weight_decay=self.weight_decay), passes)

    def distance(self, batch: Batch) -> torch.Tensor:
        """Return KL (n,) from the original's posteriors, at temperature T, in nats."""
        return batch.divergence(batch.original, self.temperature) / self.temperature**2

    def retain_loss(self, batch: Batch) -> torch.Tensor:
        """Return CE + H + KL (n,), in nats."""
        wanted, found = ((each / self.temperature).log_softmax(dim=1) for each in (batch.original, batch.logits))
        soft = -(wanted.exp() * found).sum(dim=1)
        return batch.cross_entropy(batch.labels) + soft + self.distance(batch)
