"""AMUN: go on training on all records, and on the nearest adversarial example of each forgotten one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.adversarial import nearest_flips
from unlearnbench.engine.gradients.bounds import BoundedUnlearner, Bounds
from unlearnbench.engine.gradients.jobs import Made
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class AMUN(BoundedUnlearner):
    """Minimize, by SGD, the cross-entropy of all records and of the adversarial examples of the forgotten ones.

    Forgotten records keep their labels. The example of each is found by projected gradient ascent on the original's
    cross-entropy within an L2 ball, ``attack_steps`` of a tenth of the radius, with features scaled to [0, 1]; where
    that does not change the class, the radius is doubled. Its label is the class that the original gives it. A record
    that the original misclassifies is its own example; one that no change flips has none. Batch normalization: in
    training mode; the original answers in evaluation mode. With nothing to forget it is fine-tuning. Needs features
    with bounds. Source: Ebrahimpour-Boroojeny et al. 2025, arXiv 2503.00917, code: the variant with the retain set.

    ``radius``: of the first ball

    ``attack_steps``: steps in each ball

    ``epochs``: passes over all records

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    radius: PositiveFloat = 0.04
    attack_steps: PositiveInt = 50
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the forget set, once for each step of the first ball; how many follow is not known."""
        return self.attack_steps * len(deletion.forget)

    def made_from(self, inputs: torch.Tensor, labels: torch.Tensor, bounds: Bounds) -> Made:
        """Return the adversarial examples, with the classes that the original gives them."""
        examples = nearest_flips(bounds, bounds.levels(inputs), labels, self.radius, self.attack_steps)
        given = bounds.predicted(examples)
        return Made(bounds.inputs(examples)[given != labels], given[given != labels])

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over all records and the examples."""
        one = Pass([Term("both", batch_size=self.batch_size, with_made=True)])
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return [Stage(optimizer, [one] * self.epochs)]
