"""Boundary shrink: teach the forget set the class that lies across the nearest boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.bounds import BoundedUnlearner, Bounds
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

PIXEL = 255
"""The highest level of a pixel of eight bits, to which a changed record is rounded."""


@dataclass(frozen=True)
class BoundaryShrink(BoundedUnlearner):
    """Minimize, by SGD, the cross-entropy on the forget set of the class that the original gives a changed record.

    Changed is x + ``epsilon`` sign(gradient of the original's cross-entropy of the true class), with features scaled to
    [0, 1], clipped to that and rounded to 1/255. The class may be the true one. Made for the deletion of whole classes.
    Batch normalization: in training mode; the original answers in evaluation mode. With nothing to forget the network
    stays. Needs features with bounds. Source: Chen et al. 2023, arXiv 2303.11570, code.

    ``epsilon``: how far each feature is changed

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD
    """

    epsilon: NonNegativeFloat = 0.1
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 1e-5
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "labels")

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the forget set."""
        return len(deletion.forget)

    def made_from(self, inputs: torch.Tensor, labels: torch.Tensor, bounds: Bounds) -> Made:
        """Return the forget set with the classes of the changed records."""
        levels = bounds.levels(inputs)
        changed = (levels + self.epsilon * bounds.slope(levels, labels).sign()).clamp(0, 1)
        return Made(inputs, bounds.predicted((changed * PIXEL).round() / PIXEL))

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the forget set with its new classes."""
        one = Pass([Term("made", batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate, momentum=self.momentum), [one] * self.epochs)]
