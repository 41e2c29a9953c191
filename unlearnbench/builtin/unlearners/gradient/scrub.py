"""SCRUB: a student that leaves its teacher on the forget set and follows it on the retain set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Scrub(GradientUnlearner):
    """Maximize KL(original || network) on the forget set, minimize ``gamma`` CE + ``alpha`` KL on the retain set.

    KL is that of posteriors at temperature T, times T^2. Each of the first ``forget_epochs`` epochs begins with a pass
    over the forget set; every epoch has one over the retain set. The learning rate is a tenth after each of
    ``milestones``. Adam. Batch normalization: in training mode; the original answers in evaluation mode. With nothing
    to forget it is distillation. Source: Kurmanji et al. 2023, arXiv 2302.09880; values of its code at small scale.

    ``alpha``: weight of KL on the retain set

    ``gamma``: weight of the cross-entropy on the retain set

    ``temperature``: T

    ``epochs``: passes over the retain set

    ``forget_epochs``: how many of them are preceded by a pass over the forget set

    ``learning_rate``: step size of the first epochs

    ``milestones``: epochs, counted from 1, after which the step size is a tenth

    ``batch_size``: records of a batch of the retain set

    ``forget_batch_size``: records of a batch of the forget set

    ``weight_decay``: L2 factor, added to the gradient
    """

    alpha: NonNegativeFloat = 0.5
    gamma: NonNegativeFloat = 1.0
    temperature: PositiveFloat = 2.0
    epochs: NonNegativeInt = 10
    forget_epochs: NonNegativeInt = 3
    learning_rate: NonNegativeFloat = 5e-4
    milestones: tuple[Annotated[int, Field(ge=1)], ...] = (5, 8, 9)
    batch_size: PositiveInt = 32
    forget_batch_size: PositiveInt = 64
    weight_decay: NonNegativeFloat = 0.1

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return the epochs, each of one or two passes."""
        optimizer = Optimizer(self.learning_rate, "adam", weight_decay=self.weight_decay)
        return [Stage(optimizer, [each for epoch in range(1, self.epochs + 1) for each in self._epoch(epoch)])]

    def _epoch(self, epoch: int) -> list[Pass]:
        rate = 0.1 ** sum(milestone < epoch for milestone in self.milestones)
        away = Pass([Term("forget", self._distance, -1.0, self.forget_batch_size)], rate)
        near = Pass([Term("retain", self._retain_loss, 1.0, self.batch_size)], rate)
        return [away, near] if epoch <= self.forget_epochs else [near]

    def _distance(self, batch: Batch) -> torch.Tensor:
        return batch.divergence(batch.original, self.temperature)

    def _retain_loss(self, batch: Batch) -> torch.Tensor:
        return self.gamma * batch.cross_entropy(batch.labels) + self.alpha * self._distance(batch)


@dataclass(frozen=True)
class ScrubRewind(Scrub):
    """SCRUB, then back to the epoch whose error on the forget set is nearest to that on unseen records.

    Compared are the errors before each epoch on the forget set with the error of the final network on validation
    records of the classes of the forget set. The first is never chosen, as it is the original's: then, and without such
    validation records, the final network stays.
    """

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "validation-set", "labels")

    def _epoch(self, epoch: int) -> list[Pass]:
        first, *others = super()._epoch(epoch)
        return [Pass(first.terms, first.rate, snapshot=True), *others]

    def finish(
        self, module: torch.nn.Module, snapshots: Sequence[torch.nn.Module], deletion: Deletion
    ) -> torch.nn.Module:
        """Return the network of the chosen epoch."""
        fitted, validation = has_module(deletion.fitted), deletion.original.validation
        known = validation.select(np.isin(validation.records.y[validation.ids], deletion.forget.y))
        if not len(known) or not snapshots:
            return module
        wanted = error_rate(fitted.with_module(module.eval()), known)
        errors = [error_rate(fitted.with_module(each.eval()), deletion.forget) for each in snapshots]
        chosen = int(np.argmin(np.abs(np.array(errors) - wanted)))
        return snapshots[chosen] if chosen else module


def error_rate(fitted: Fitted, data: TrainingSet) -> float:
    """Return the share of records whose most probable class is not the true one."""
    return float((fitted.log_posteriors(data.x).argmax(axis=1) != data.y).mean())
