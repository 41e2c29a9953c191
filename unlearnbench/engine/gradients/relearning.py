"""How long a network takes to learn deleted records again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from unlearnbench.core.errors import UserError
from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet, among
from unlearnbench.core.scenarios import Request
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.train import train
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.networks.modules import HasModule
from unlearnbench.engine.unlearners import Deletion

OPTIMIZER: Final = Optimizer(0.01, momentum=0.9)
"""The same for all models, since the number depends on it."""
BATCH: Final = 64
SLACK: Final = 0.05
"""How much less accurate than the original a network that is back may be."""


def relearned(original: Original, request: Request, fitted: Fitted, most: int, seeds: SeedPath) -> float:
    """Return after how many epochs over the deleted records a network is back, at most ``most``.

    It is back when its accuracy on them is that of the original less :data:`SLACK`, or more; one that is so at once
    takes 0. NaN for what is no network, and where no record of the training set is deleted.
    """
    ids = original.data.kept_ids[among(original.data.kept_ids, request.forgotten)]
    if not (isinstance(fitted, HasModule) and len(ids)):
        return math.nan
    records = original.data.records
    nothing, deleted = (TrainingSet.of(records, each) for each in (ids[:0], ids))
    return _Relearning(most).epochs(Deletion(fitted, nothing, deleted, original, seeds))


@dataclass(eq=False)
class _Progress:
    """What has been reached on the deleted records."""

    deleted: TrainingSet
    wanted: float
    """The accuracy at which the network is back."""
    epochs: int = 0

    @classmethod
    def of(cls, deletion: Deletion) -> _Progress:
        return cls(deletion.forget, accuracy(deletion.original.fitted, deletion.forget) - SLACK)


@dataclass(frozen=True)
class _Relearning(GradientUnlearner):
    """Trains a network on the deleted records until it is back."""

    most: int

    sees: ClassVar[tuple[str, ...]] = ("forget-set", "labels")

    def context(self, deletion: Deletion) -> _Progress:
        return _Progress.of(deletion)

    def stages(self, original: Original) -> Sequence[Stage]:  # noqa: ARG002 - an argument of the contract
        one = Pass([Term("forget", batch_size=BATCH)], measure=_reached)
        return [Stage(OPTIMIZER, [one] * self.most)]

    def epochs(self, deletion: Deletion) -> float:
        (job,) = self._jobs([deletion])
        try:
            train([job])
        except UserError:  # its weights overflowed: it does not come back
            return float(self.most)
        progress: _Progress = job.context
        return float(progress.epochs)


def _reached(network: HasModule, progress: _Progress) -> float | None:
    """Return the network's accuracy, and count the epoch that follows; None where it is back."""
    reached = accuracy(network, progress.deleted)
    if reached >= progress.wanted:
        return None
    progress.epochs += 1
    return reached


def accuracy(fitted: Fitted, data: TrainingSet) -> float:
    """Return the share of records whose most probable class is the true one."""
    return float(np.mean(fitted.log_posteriors(data.x).argmax(axis=1) == data.y))
