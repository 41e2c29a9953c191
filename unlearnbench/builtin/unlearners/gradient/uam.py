"""UAM: descend on the retain set by the gradient at the weights that are worst for the forget set nearby."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.steps import StepGradients
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

_RETAIN, _FORGET = 0, 1


@dataclass(frozen=True)
class UAM(GradientUnlearner):
    """Descend by SGD with the gradient of CE(retain) at w + ``rho`` g / N(g); g is that of CE(forget) at the weights w.

    N is the norm. Every step takes a batch of the retain set and one of the forget set, as ``neggrad-plus`` does.
    ``rho`` = 0 is fine-tuning, and so it is with nothing to forget. Batch normalization: in training mode, and both
    batches move the running statistics. Source: the method of NeurIPS 2025 as in the library
    torchunlearn; all values are ours.

    ``rho``: how far the weights are moved against the forget set

    ``epochs``: passes over the retain set

    ``learning_rate``: step size

    ``batch_size``: records of a batch of the retain set

    ``forget_batch_size``: records of a batch of the forget set

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    rho: NonNegativeFloat = 0.05
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64
    forget_batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over both sets side by side."""
        terms = [Term("retain", batch_size=self.batch_size), Term("forget", batch_size=self.forget_batch_size)]
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return [Stage(optimizer, [Pass(terms, step=self._step)] * self.epochs)]

    def _step(self, gradients: StepGradients) -> Iterator[Sequence[torch.Tensor]]:
        if not gradients.has(_FORGET):
            yield gradients.of(_RETAIN)
            return
        with gradients.moved(of_length(gradients.of(_FORGET), self.rho)):
            down = gradients.of(_RETAIN)
        yield down


def of_length(gradient: Sequence[torch.Tensor], length: float) -> list[torch.Tensor]:
    """Return the gradient, scaled so that all its parts together have this length; 0 stays 0."""
    import torch

    own = torch.stack([each.norm() for each in gradient]).norm()
    return [each * (length / (own + 1e-16)) for each in gradient]
