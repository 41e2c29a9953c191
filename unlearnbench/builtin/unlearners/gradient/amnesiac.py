"""Amnesiac unlearning: take back what the batches that held a record did to the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.networks.training_log import TrainingLog
from unlearnbench.engine.unlearners import Deletion, FunctionState
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Amnesiac(GradientUnlearner):
    """Subtract the updates of all batches of training that held a forgotten record, then fine-tune on the retain set.

    Its own original is the target model trained by ``fit`` with a log of all weights, so that each update is known; it
    takes that memory, and a gigabyte at most. A batch is subtracted once, however many of its records are forgotten,
    and in a later step only where no earlier one did. Parameters only: running statistics stay. Where no batch held a
    forgotten record, and without fine-tuning, the network stays to the bit; where all did, it is the untrained one.
    Fine-tuning is by SGD in training mode; what it learns of a record that a later step forgets stays. A record of the
    original that comes back and is forgotten again is subtracted again.

    Source: Graves et al. 2021, arXiv 2010.10981. Their code fine-tunes; how long is ours to choose, and by default not.

    ``epochs``: passes over the retain set afterwards

    ``learning_rate``: step size of these

    ``batch_size``: records of a batch of these
    """

    epochs: NonNegativeInt = 0
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels", "training-log")

    def refusal(self, model: TargetModel) -> str | None:
        """Refuse models whose training keeps no log."""
        return super().refusal(model) or (None if model.logs else f"{type(model).__name__} keeps no training log")

    def prepare(self, original: Original) -> FunctionState:
        """Train its own original, with the log."""
        log = TrainingLog()
        return FunctionState(original.train_with(log), original.data, original, log)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Subtract the updates."""
        import torch

        log: TrainingLog = deletion.precomputed
        trained, retained = deletion.original.data.kept_ids, deletion.retain.kept_ids
        earlier = np.setdiff1d(trained, np.concatenate([retained, deletion.forget.kept_ids]))
        steps = np.setdiff1d(log.steps_with(deletion.forget.kept_ids), log.steps_with(earlier))
        weights = list(module.parameters())
        updates = torch.split(torch.from_numpy(log.updates(steps)), [each.numel() for each in weights])
        for weight, update in zip(weights, updates, strict=True):
            weight.data.copy_(weight.data.double().cpu() - update.view_as(weight))

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the retain set."""
        one = Pass([Term("retain", batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate), [one] * self.epochs)] if self.epochs else []
