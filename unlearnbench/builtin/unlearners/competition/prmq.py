"""PRMQ: most weights are pruned and drawn anew, trained, and rounded to half precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, NonNegativeFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.layers import convolutions, linear_layers, smallest
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PRMQ(GradientUnlearner):
    """Prune convolutions and linear layers, draw the pruned weights anew, train on the retain set by SGD, then round.

    Pruned are the smallest absolute values of weights and biases, ranked together. Weights that are 0 then are drawn
    from +-1 / sqrt(fan-in), biases stay 0. The loss is the cross-entropy, records weighted by n_c^-.1 for n_c retained
    ones of their class, plus the mean square of the difference of the network's entropy from the original's. In the end
    all weights and buffers go to 16 bits and back. Batch normalization: in training mode. Source: fourth place of the
    NeurIPS 2023 competition, in the code of Cadet et al. 2024, arXiv 2410.01276; values too.

    ``epochs``: passes over the retain set; of the last one a part

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient

    ``share``: of weights and biases that are pruned, rounded
    """

    epochs: NonNegativeFloat = 3.2
    learning_rate: NonNegativeFloat = 5e-4
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4
    share: Annotated[float, Field(ge=0, le=1)] = 0.99

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "labels")

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Prune, and draw pruned weights anew."""
        layers: list[torch.nn.Conv2d | torch.nn.Linear] = [*convolutions(module), *linear_layers(module)]
        prune([value.data for layer in layers for value in layer.parameters(recurse=False)], self.share)
        for number, layer in enumerate(layers):
            redraw_zeros(layer.weight.data, deletion.seeds / "drawn" / number)

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the retain set."""
        optimizer = Optimizer(self.learning_rate, momentum=self.momentum, weight_decay=self.weight_decay)
        term = Term("retain", class_weighted_and_as_certain, batch_size=self.batch_size)
        whole = int(self.epochs)
        return [Stage(optimizer, [*[Pass([term])] * whole, Pass([term], part=self.epochs - whole)])]

    def finish(
        self, module: torch.nn.Module, snapshots: Sequence[torch.nn.Module], deletion: Deletion
    ) -> torch.nn.Module:
        """Return the network with weights and buffers rounded to 16 bits."""
        return module.half().float()


def prune(values: Sequence[torch.Tensor], share: float) -> None:
    """Set the smallest absolute values of all tensors together to 0, a share of them, in place."""
    count = round(share * sum(each.numel() for each in values))
    for each, pruned in zip(values, smallest([each.abs() for each in values], count), strict=True):
        each[pruned] = 0


def redraw_zeros(weight: torch.Tensor, seeds: SeedPath) -> None:
    """Draw what is 0 in the weights (units, ...) of a layer from +-1 / sqrt(fan-in), in place."""
    import torch

    bound = weight[0].numel() ** -0.5
    drawn = torch.from_numpy(seeds.rng().uniform(-bound, bound, size=tuple(weight.shape))).to(weight)
    weight.copy_(drawn.where(weight == 0, weight))


def class_weighted_and_as_certain(batch: Batch) -> torch.Tensor:
    """Return the weighted cross-entropy (n,), and how far the entropies are from the original's, squared."""
    weights = batch.retained.gather(1, batch.labels.unsqueeze(1)).squeeze(1) ** -0.1
    certainty = (entropy(batch.logits) - entropy(batch.original)).square()
    return weights / batch.mean(weights) * batch.cross_entropy(batch.labels) + certainty


def entropy(logits: torch.Tensor) -> torch.Tensor:
    """Return the entropy (n,) of the posteriors of logits (n, C), in nats."""
    log_posteriors = logits.log_softmax(dim=1)
    return -(log_posteriors.exp() * log_posteriors).sum(dim=1)
