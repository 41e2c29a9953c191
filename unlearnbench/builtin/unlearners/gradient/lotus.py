"""LoTUS: learn the original's answers to the forget set, the softer the more is still known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

DONE = -0.01
"""The gap at which training ends."""


@dataclass(frozen=True)
class LoTUS(GradientUnlearner):
    """Minimize CE(p) by AdamW: p is the original's most probable class on the retain set, and softmax(t / T) elsewhere.

    t are the original's logits, T = exp(``alpha`` gap). The gap, measured before each epoch, is the accuracy on the
    forget set less the original's on validation records, or less 0 where no record of its classes stays. Training ends
    where it is -.01 or lower. Without validation records, and with nothing to forget, the gap is 0. Batch
    normalization: in training mode; the original answers in evaluation mode. Source: Spartalis et al. 2025, arXiv
    2503.18314; values of its code, but for ``alpha`` and ``epochs``, which are ours. Its default adds Gumbel noise to
    t; this is its variant without.

    ``alpha``: how much softer answers become with the gap

    ``epochs``: passes over the forget set and the sample of the retain set, mixed

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``share``: of the retain set that is used, a sample rounded down

    ``weight_decay``: the decoupled factor
    """

    alpha: NonNegativeFloat = 2.0
    epochs: NonNegativeInt = 3
    learning_rate: NonNegativeFloat = 1e-4
    batch_size: PositiveInt = 128
    share: Annotated[float, Field(ge=0, le=1)] = 0.3
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "validation-set", "labels")

    def context(self, deletion: Deletion) -> Deletion:
        """Keep the deletion, for the gap."""
        return deletion

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over both sets, mixed."""
        one = Pass([Term("both", self.softened, batch_size=self.batch_size, share=self.share)], measure=gap)
        return [Stage(Optimizer(self.learning_rate, "adamw", weight_decay=self.weight_decay), [one] * self.epochs)]

    def softened(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy (n,) of the original's answers, softened for forgotten records, else hardened."""
        import torch

        temperature = math.exp(self.alpha * batch.measured)
        soft = (batch.original / temperature).softmax(dim=1)
        hard = torch.nn.functional.one_hot(batch.original.argmax(dim=1), batch.n_classes)
        target = soft.where(batch.forgotten.unsqueeze(1), hard)
        return -(target * batch.logits.log_softmax(dim=1)).sum(dim=1)


def gap(network: Fitted, deletion: Deletion) -> float | None:
    """Return the accuracy on the forget set less what it should be, None where it is far enough below."""
    wanted = wanted_accuracy(deletion)
    if not len(deletion.forget) or wanted is None:
        return 0.0
    found = accuracy(network, deletion.forget) - wanted
    return None if found <= DONE else found


def wanted_accuracy(deletion: Deletion) -> float | None:
    """Return the accuracy that a network has on records that it has not seen; None without validation records."""
    if not np.isin(deletion.retain.y, deletion.forget.y).any():
        return 0.0
    validation = deletion.original.validation
    return accuracy(deletion.fitted, validation) if len(validation) else None


def accuracy(fitted: Fitted, data: TrainingSet) -> float:
    """Return the share of records whose most probable class is the true one."""
    return float((fitted.log_posteriors(data.x).argmax(axis=1) == data.y).mean())
