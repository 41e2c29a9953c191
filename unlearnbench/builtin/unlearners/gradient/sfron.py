"""SFR-on: fine-tuning, with steps between that climb where weights matter more to the forget set than to the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.importance import mean_squared_gradient
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term, cosine
from unlearnbench.engine.gradients.steps import StepGradients
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

_RETAIN, _FORGET = 0, 1
_TINY = 1e-15
"""What is added to a divisor."""


@dataclass(frozen=True)
class SFRon(GradientUnlearner):
    """Minimize CE(retain) by SGD; before each ``every``-th step, one along ``alpha`` times the gradient of CE(forget).

    That step climbs: a record's share of the gradient is proportional to CE^-``balance``, only weights move whose
    squared gradient, mean over batches, is ``threshold`` times as large on the forget set as on the retain set, and its
    length is at most ``longest``. Step size and ``alpha`` fall as half a cosine. Momentum and weight decay are those of
    all steps and move all weights. Batch normalization: in training mode, but squared gradients are those of evaluation
    mode. With nothing to forget it is fine-tuning. Source: Huang et al. 2024, arXiv 2409.19732; values of its code for
    a tenth of CIFAR-10, where 1,500 steps are about 10 epochs and weights are not averaged.

    ``alpha``: factor of the steps that climb

    ``every``: steps of the retain set between two of those

    ``balance``: how much less a record counts that is forgotten already

    ``threshold``: how many times more a weight must matter to the forget set

    ``longest``: length of a gradient to which longer ones are shortened

    ``epochs``: passes over the retain set

    ``learning_rate``: step size at the start

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    alpha: NonNegativeFloat = 25.0
    every: PositiveInt = 5
    balance: NonNegativeFloat = 0.5
    threshold: NonNegativeFloat = 1.0
    longest: PositiveFloat = 7.0
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 256
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of both sets."""
        return len(deletion.forget) + len(deletion.retain)

    def context(self, deletion: Deletion) -> list[torch.Tensor]:
        """Return which weights the steps that climb may move."""
        fitted = has_module(deletion.fitted)
        sets = deletion.forget, deletion.retain
        own, rest = (mean_squared_gradient(fitted, each, self.batch_size) for each in sets)
        return [(f + _TINY) / (r + _TINY) >= self.threshold for f, r in zip(own, rest, strict=True)]

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return one pass of many cycles."""
        down = Term("retain", batch_size=self.batch_size)
        up = Term("forget", self.adaptive, weight=-1.0, batch_size=self.batch_size, every=self.every)
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return [Stage(optimizer, [Pass([down, up], cosine, cycles=self.epochs, step=self._steps)])]

    def adaptive(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy (n,), weighted so that the weights of a batch have a mean of 1."""
        loss = batch.cross_entropy(batch.labels)
        weight = 1 / (loss.detach() ** self.balance + _TINY)
        return loss * weight / weight.reshape(-1, batch.size).mean(dim=1).repeat_interleave(batch.size)

    def _steps(self, gradients: StepGradients) -> Iterator[Sequence[torch.Tensor]]:
        if gradients.has(_FORGET):
            alpha = self.alpha * cosine(gradients.done)
            yield shortened(masked(gradients.of(_FORGET), gradients.context, alpha), self.longest)
        yield gradients.of(_RETAIN)


def masked(gradient: Sequence[torch.Tensor], mask: Any, factor: float) -> list[torch.Tensor]:
    """Return the gradient times ``factor``, and 0 outside the mask."""
    return [factor * each * moves for each, moves in zip(gradient, mask, strict=True)]


def shortened(gradient: Sequence[torch.Tensor], longest: float) -> list[torch.Tensor]:
    """Return the gradient, scaled so that the length of all its parts together is at most ``longest``."""
    import torch

    length = torch.stack([each.norm() for each in gradient]).norm()
    return [each * (longest / (length + 1e-6)).clamp(max=1) for each in gradient]
