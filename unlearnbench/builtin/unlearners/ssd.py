"""Selective synaptic dampening: shrink the weights that matter more to the forget set than to all records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.importance import mean_squared_gradient
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SSD(GradientUnlearner):
    """Multiply w by min(``dampening`` I / I_f, 1) where I_f > ``selection`` I; nothing is trained.

    I is the mean of the squared gradient of the cross-entropy of a batch, over all of the original's records; I_f the
    same over the forget set; both in evaluation mode. With batches of one record they do not depend on the order of
    records; the paper's code has larger batches, in which they do. Batch normalization: buffers stay. With nothing to
    forget the network stays. Source: Foster et al. 2024, arXiv 2308.07707.

    ``selection``: how many times more a weight must matter to the forget set

    ``dampening``: how strongly it is then kept

    ``batch_size``: records of a batch
    """

    selection: PositiveFloat = 10.0
    dampening: NonNegativeFloat = 1.0
    batch_size: PositiveInt = 1

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def precompute(self, original: Original) -> list[torch.Tensor]:
        """Return I, which all requests share; also the later steps of a request use that of the original."""
        return mean_squared_gradient(has_module(original.fitted), original.data, self.batch_size)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Dampen weights."""
        own = mean_squared_gradient(has_module(deletion.fitted), deletion.forget, self.batch_size)
        dampen(module, own, deletion.precomputed, self.selection, self.dampening)


def dampen(
    module: torch.nn.Module,
    own: Sequence[torch.Tensor],
    of_all: Sequence[torch.Tensor],
    selection: float,
    dampening: float,
) -> None:
    """Dampen each parameter by its importance to the forget set (``own``) and to all records."""
    for weight, mine, common in zip(module.parameters(), own, of_all, strict=True):
        chosen = mine > selection * common  # never where both are 0
        factor = (dampening * common / mine).clamp(max=1)
        weight.data.copy_((weight * factor).detach().where(chosen, weight.detach()))
