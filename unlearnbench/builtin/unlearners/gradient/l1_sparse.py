"""L1-sparse unlearning: fine-tuning that pulls weights to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import NonNegativeFloat, NonNegativeInt

from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Pass, Penalty, Stage

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class L1Sparse(Finetune):
    """Minimize CE(retain) + a_t L1(w) over all parameters w by SGD, a_t = ``alpha`` (1 - t / (T - T0)) in epoch t of T.

    L1 is the sum of absolute values. The last T0 epochs are plain fine-tuning. Batch normalization: in training mode.
    Source: Jia et al. 2023, arXiv 2304.04934, code. No value of ``alpha`` is canonical; codes have 1e-5 to 5e-4.

    ``alpha``: weight of the norm in the first epoch

    ``plain_epochs``: T0
    """

    alpha: NonNegativeFloat = 5e-4
    plain_epochs: NonNegativeInt = 0

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return fine-tuning with the penalty of each epoch."""
        (stage,) = super().stages(original)
        passes = [Pass(each.terms, penalty=self._penalty(epoch)) for epoch, each in enumerate(stage.passes)]
        return [Stage(stage.optimizer, passes)]

    def _penalty(self, epoch: int) -> Penalty | None:
        factor = self.factor(epoch)

        def sign(weight: torch.Tensor, start: torch.Tensor) -> torch.Tensor:  # noqa: ARG001 - a penalty takes both
            return factor * weight.sign()

        return sign if factor else None

    def factor(self, epoch: int) -> float:
        """Return a_t of an epoch, counted from 0."""
        sparse = self.epochs - self.plain_epochs
        return self.alpha * (1 - epoch / sparse) if epoch < sparse else 0.0
