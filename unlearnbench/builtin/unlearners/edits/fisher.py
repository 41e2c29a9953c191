"""Fisher forgetting: noise on the weights that matter least to the retain set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import NonNegativeFloat

from unlearnbench.core.seeding import keyed_normals
from unlearnbench.engine.gradients.importance import mean_by_record
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch

    from unlearnbench.core.records import TrainingSet
    from unlearnbench.engine.networks.modules import HasModule


@dataclass(frozen=True)
class Fisher(GradientUnlearner):
    """Add N(0, v) to each weight: v = ``alpha`` min(1 / (F + 1e-8), 1000), F its Fisher information on the retain set.

    F is the mean over records of sum_y p_y (d log p_y)^2, labels not read, in evaluation mode. In the last block 1 / F
    is 100 at most; a matrix has one v for each output, the mean over its inputs; v of a vector is ten times that.
    Buffers stay. Noise depends on the seed of the version. Source: Golatkar et al. 2020, arXiv 1911.04933, in the form
    of Foster et al. 2024, arXiv 2308.07707, code.

    ``alpha``: scale of the variance
    """

    alpha: NonNegativeFloat = 1e-6

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set",)

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the retain set, once for each class."""
        return len(deletion.retain) * deletion.retain.n_classes

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Add the noise."""
        fitted, seed = has_module(deletion.fitted), deletion.seeds.seed()
        last = {id(each) for each in fitted.blocks(module)[-1].parameters()}
        pairs = zip(module.parameters(), fisher_information(fitted, deletion.retain), strict=True)
        for number, (weight, information) in enumerate(pairs):
            deviation = self.variance(information, id(weight) in last).sqrt()
            weight.data += deviation * noise_like(weight, seed, number)

    def variance(self, information: torch.Tensor, last: bool) -> torch.Tensor:
        """Return the variance of the noise on a parameter; ``last``: whether it is of the last block."""
        variance = self.alpha * (1 / (information + 1e-8)).clamp(max=100.0 if last else 1000.0)
        if variance.ndim == 1:
            return 10 * variance
        return variance.mean(dim=1, keepdim=True).expand_as(information)


def fisher_information(fitted: HasModule, data: TrainingSet) -> list[torch.Tensor]:
    """Return the diagonal of the Fisher information, by the model's own posteriors."""

    def weighted(logits: torch.Tensor) -> torch.Tensor:
        log_p = logits.log_softmax(dim=1)[0]
        return (0.5 * log_p).exp().detach() * log_p  # squared gradients are then p_y (d log p_y)^2

    return mean_by_record(fitted, data, weighted, power=2)


def noise_like(weight: torch.Tensor, seed: int, number: int) -> torch.Tensor:
    """Return standard normal draws in the shape of a parameter, keyed by (seed, its number, position)."""
    import torch

    draws = keyed_normals(seed, number, np.arange(weight.numel()))
    return torch.from_numpy(draws.astype(np.float32)).reshape(weight.shape).to(weight.device)
