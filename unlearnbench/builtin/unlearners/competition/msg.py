"""MSG: convolution weights that matter least to the difference of the sets are drawn anew, then fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field, NonNegativeFloat, NonNegativeInt

from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional, convolutions_of
from unlearnbench.builtin.unlearners.gradient.finetune import Finetune
from unlearnbench.core.records import TrainingSet
from unlearnbench.core.seeding import SeedPath, keyed_bits
from unlearnbench.engine.gradients.layers import convolutions, smallest
from unlearnbench.engine.gradients.sums import mean_gradient
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class MSG(Convolutional, Finetune):
    """Draw convolution weights anew where abs(gradient of CE(retain) - CE(forget)) is small, then fine-tune by SGD.

    The retain set's gradient is that of a sample as large as the forget set. Weights are ranked in each convolution by
    itself, though the code says otherwise by name, in evaluation mode. The new ones are He's normal by fan-out; the
    gradients of a convolution's other weights are multiplied by ``slowed``, biases and other layers are free. The
    learning rate of an epoch rises in a line to the middle one and falls after it. Batch normalization: in training
    mode. Source: second place of the NeurIPS 2023 competition, in the code of Cadet et al. 2024, arXiv 2410.01276;
    values too.

    ``share``: of a convolution's weights that are drawn anew, rounded

    ``slowed``: factor of the gradients of its other weights
    """

    epochs: NonNegativeInt = 5
    learning_rate: NonNegativeFloat = 1e-3
    share: Annotated[float, Field(ge=0, le=1)] = 0.3
    slowed: NonNegativeFloat = 0.1

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Draw the chosen weights anew."""
        for number, (layer, chosen) in enumerate(zip(convolutions_of(module), self._chosen(deletion), strict=True)):
            fresh = he_normal(tuple(layer.weight.shape), deletion.seeds / "drawn" / number)
            layer.weight.data[chosen] = fresh.to(layer.weight)[chosen]

    def mask(self, module: torch.nn.Module, deletion: Deletion) -> Sequence[torch.Tensor]:
        """Return ``slowed`` for those weights of convolutions that were not drawn anew, else 1."""
        weights = {id(layer.weight) for layer in convolutions(module)}
        old = has_module(deletion.fitted).module.parameters()
        return [
            factors(own != its, self.slowed if id(own) in weights else 1.0)
            for own, its in zip(module.parameters(), old, strict=True)
        ]

    def records_read(self, deletion: Deletion) -> int:
        """Return the records whose gradients are taken."""
        return len(deletion.forget) + len(sample(deletion))

    def _chosen(self, deletion: Deletion) -> Iterator[torch.Tensor]:
        """Yield which weights of each convolution are drawn anew."""
        fitted = has_module(deletion.fitted)
        retain, forget = (mean_gradient(fitted, data) for data in (sample(deletion), deletion.forget))
        weights = {id(layer.weight) for layer in convolutions(fitted.module)}
        for parameter, down, up in zip(fitted.module.parameters(), retain, forget, strict=True):
            if id(parameter) in weights:
                yield reinitialized(down - up, self.share)

    def rate(self, epoch: int) -> float:
        """Return the factor of an epoch's learning rate."""
        top = (self.epochs + 1) // 2
        return (epoch + 1) / top if epoch < top else (self.epochs - epoch) / (self.epochs + 1 - top)


def reinitialized(gradient: torch.Tensor, share: float) -> torch.Tensor:
    """Return which weights of a layer are drawn anew: the ``share`` with the smallest absolute gradient."""
    return smallest([gradient.abs()], round(share * gradient.numel()))[0]


def sample(deletion: Deletion) -> TrainingSet:
    """Return as many retained records as are forgotten, drawn by record."""
    ids = deletion.retain.kept_ids
    order = np.argsort(keyed_bits((deletion.seeds / "sample").seed(), ids), kind="stable")
    return TrainingSet.of(deletion.retain.records, np.sort(ids[order[: len(deletion.forget)]]))


def he_normal(shape: tuple[int, ...], seeds: SeedPath) -> torch.Tensor:
    """Return weights of a convolution from a normal distribution with variance 2 / fan-out, float64."""
    import torch

    units, _, *kernel = shape
    return torch.from_numpy(seeds.rng().standard_normal(shape) * (2 / (units * prod(kernel))) ** 0.5)


def factors(changed: torch.Tensor, otherwise: float) -> torch.Tensor:
    """Return 1 for what was drawn anew, and another factor of the gradient elsewhere."""
    return changed.float().where(changed, otherwise)
