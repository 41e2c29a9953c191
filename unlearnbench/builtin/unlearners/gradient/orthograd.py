"""OrthoGrad: climb on the forget set, orthogonally to the gradient of every record of a small retain set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.steps import StepGradients
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

_RETAIN, _FORGET = 0, 1


@dataclass(frozen=True)
class OrthoGrad(GradientUnlearner):
    """Move against ``alpha`` g_r - (1 - ``alpha``) g, by SGD, where g does not change the loss of any retained record.

    g_r is the gradient of CE(retain), g that of CE(forget) less its projection on the gradients of all single records
    of the retain batch, parameter by parameter: one with no more numbers than the batch has records moves along g_r
    only. The retain set is a sample, as the method is meant for a small one. Batch normalization: in evaluation mode,
    without dropout. With nothing to forget it is fine-tuning. Source: Shamsian et al. 2025, arXiv 2503.02312, code;
    all values are ours.

    ``alpha``: weight of the retain set

    ``share``: of the retain set that is used, a sample rounded down

    ``epochs``: passes over this sample

    ``learning_rate``: step size

    ``batch_size``: records of a batch of the retain set

    ``forget_batch_size``: records of a batch of the forget set
    """

    alpha: Annotated[float, Field(ge=0, le=1)] = 0.9
    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 16
    forget_batch_size: PositiveInt = 64

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")
    mode: ClassVar[Literal["train", "eval"]] = "eval"

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over both sets side by side."""
        down = Term("retain", batch_size=self.batch_size, share=self.share)
        up = Term("forget", batch_size=self.forget_batch_size)
        return [Stage(Optimizer(self.learning_rate), [Pass([down, up], step=self._step)] * self.epochs)]

    def _step(self, gradients: StepGradients) -> Iterator[Sequence[torch.Tensor]]:
        if not gradients.has(_FORGET):
            yield gradients.of(_RETAIN)
            return
        pairs = list(zip(gradients.of(_FORGET), gradients.by_record(_RETAIN), strict=True))
        yield [self.alpha * rows.mean(dim=0) - (1 - self.alpha) * orthogonal(up, rows) for up, rows in pairs]


def orthogonal(gradient: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return ``gradient`` (...) less its projection on the space of ``others`` (n, ...)."""
    import torch

    rows = others.flatten(1)
    _, sizes, directions = torch.linalg.svd(rows, full_matrices=False)
    rounding = sizes.max() * max(rows.shape) * torch.finfo(rows.dtype).eps
    basis = directions[sizes > rounding]  # of equal or vanishing rows the other directions are mere rounding
    flat = gradient.flatten()
    left: torch.Tensor = flat - basis.T @ (basis @ flat)
    return left.view_as(gradient)
