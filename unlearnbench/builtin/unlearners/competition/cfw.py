"""CFW: noise on convolutions, then fine-tuning with class weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import NonNegativeFloat, NonNegativeInt

from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional, some
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.core.originals import Original
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.layers import add_noise, convolutions
from unlearnbench.engine.gradients.passes import Stage, cosine
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CFW(Convolutional, Finetune):
    """Add normal noise to convolutions, then fine-tune on the retain set by SGD; less noise before the last epoch.

    The convolutions are those that are children of the network itself: of a torchvision ResNet the first one alone,
    as in the code. The loss is the mean cross-entropy of a batch times the mean of n / (C n_c) over its records, for
    n_c of the n retained records in their class c, and C classes among them: class weights that scale the step only.
    The learning rate falls by half a cosine from epoch to epoch. Batch normalization: in training mode. Source: third
    place of the NeurIPS 2023 competition, in the code of Cadet et al. 2024, arXiv 2410.01276; values too.

    ``noise``: standard deviation at the start

    ``last_noise``: standard deviation before the last of several epochs
    """

    epochs: NonNegativeInt = 4
    learning_rate: NonNegativeFloat = 7e-4
    noise: NonNegativeFloat = 0.6
    last_noise: NonNegativeFloat = 0.005

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Add the first noise."""
        _confuse(module, self.noise, deletion.seeds / "first")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return fine-tuning with noise before the last epoch."""
        (stage,) = super().stages(original)
        *passes, last = stage.passes
        passes.append(replace(last, edit=self._edit_last) if passes else last)
        return [replace(stage, passes=passes)]

    def _edit_last(self, module: torch.nn.Module, deletion: Deletion) -> None:
        _confuse(module, self.last_noise, deletion.seeds / "last")

    def rate(self, epoch: int) -> float:
        """Return the factor of an epoch's learning rate."""
        return cosine(epoch / self.epochs)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy (n,) times the mean class weight of the batch."""
        of_class = batch.retained.gather(1, batch.labels.unsqueeze(1)).squeeze(1)
        classes = (batch.retained > 0).sum(dim=1)
        weights = batch.retained.sum(dim=1) / (classes * of_class)
        return batch.mean(weights) * batch.cross_entropy(batch.labels)


def _confuse(module: torch.nn.Module, deviation: float, seeds: SeedPath) -> None:
    children = set(module.children())
    for number, layer in enumerate(some([each for each in convolutions(module) if each in children])):
        add_noise(layer.weight, deviation, seeds / number)
