"""Selective synaptic dampening: shrink the weights that matter more to the forget set than to all records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.importance import mean_by_record, mean_squared_gradient
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

    from unlearnbench.core.records import TrainingSet
    from unlearnbench.engine.networks.modules import HasModule


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
        return self.importance(has_module(original.fitted), original.data)

    def importance(self, fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
        """Return how much each weight matters to some records."""
        return mean_squared_gradient(fitted, data, self.batch_size)

    def threshold(self, own: Sequence[torch.Tensor], of_all: Sequence[torch.Tensor], deletion: Deletion) -> float:
        """Return how many times more a weight must matter to the forget set, given both importances."""
        return self.selection

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the forget set."""
        return len(deletion.forget)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Dampen weights."""
        own, of_all = self.importance(has_module(deletion.fitted), deletion.forget), deletion.precomputed
        dampen(module, own, of_all, self.threshold(own, of_all, deletion), self.dampening)


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


@dataclass(frozen=True)
class LossFreeSSD(SSD):
    """``ssd`` without labels: a weight matters by the absolute gradient of the sum of squared logits, record by record.

    The mean is over single records. Source: Foster et al. 2024, arXiv 2402.19308. There is no ``batch_size`` to choose:
    1 is the only one.

    ``batch_size``: 1
    """

    batch_size: Literal[1] = 1

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set")

    def importance(self, fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
        """Return the mean of the absolute gradients."""
        return mean_by_record(fitted, data, lambda logits: logits.square().sum(), power=1)


@dataclass(frozen=True)
class AdaptiveSSD(SSD):
    """``ssd`` whose selection follows from the data: the share of weights that are dampened grows with the forget set.

    ``selection`` times the percentile 100 - ln(1 + 100 n_f / n) of I_f / I, over weights where it is finite, is what
    I_f / I must exceed. Source: Schoepf et al. 2024, arXiv 2402.10098.

    ``selection``: factor of the percentile
    """

    selection: PositiveFloat = 1.0

    def threshold(self, own: Sequence[torch.Tensor], of_all: Sequence[torch.Tensor], deletion: Deletion) -> float:
        """Return the percentile; infinite, so that nothing is dampened, where no ratio is finite."""
        parts = [(mine / common).cpu().numpy().ravel() for mine, common in zip(own, of_all, strict=True)]
        ratios = np.concatenate(parts)
        known = ratios[np.isfinite(ratios)]
        rank = percentile(len(deletion.forget), len(deletion.original.data))
        return self.selection * float(np.percentile(known, rank)) if len(known) else float("inf")


def percentile(forget: int, all_records: int) -> float:
    """Return the percentile for a forget set of this size."""
    return float(100 - np.log(1 + 100 * forget / all_records))
