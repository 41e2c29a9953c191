"""RNI: noise on random tensors and training of these alone, then of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.builtin.unlearners.competition.convolutional import Convolutional, convolutions_of
from unlearnbench.core.originals import Original
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.gradients.fresh import initialize
from unlearnbench.engine.gradients.layers import add_noise, linear_layers, normalizations
from unlearnbench.engine.gradients.passes import Edit, Optimizer, Pass, Stage, Term
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RNI(Convolutional):
    """Draw the last linear layer anew, then train on the retain set by SGD, first some tensors at a time, then all.

    In each of the first epochs ``tensors`` weights and biases, drawn anew, and those of batch normalization are
    trained, the others frozen. Before each but the first, of a share ``noisy`` of ``tensors`` those that were never
    drawn before get normal noise: where a network has no more tensors than that, none. Each epoch has an optimizer
    without moments. Batch normalization: in training mode. Source: NeurIPS 2023 competition, in
    the code of Cadet et al. 2024, arXiv 2410.01276; values too, of the fine rates those that it uses.

    ``epochs``: passes over the retain set in which some tensors are trained

    ``learning_rate``: step size of these

    ``fine_learning_rates``: step sizes of the epochs after them

    ``tensors``: how many are trained at a time

    ``noisy``: the share of them that may get noise, rounded down

    ``noise``: standard deviation

    ``batch_size``: records of a batch

    ``momentum``: of SGD

    ``weight_decay``: L2 factor, added to the gradient
    """

    epochs: NonNegativeInt = 5
    learning_rate: NonNegativeFloat = 2e-4
    fine_learning_rates: tuple[NonNegativeFloat, ...] = (2e-4, 2e-4, 2e-4, 1e-3)
    tensors: PositiveInt = 9
    noisy: Annotated[float, Field(ge=0, le=1)] = 0.7
    noise: NonNegativeFloat = 0.04
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9
    weight_decay: NonNegativeFloat = 5e-4

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "labels")

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Draw the last layer anew."""
        convolutions_of(module)
        initialize(linear_layers(module)[-1], (deletion.seeds / "last").seed())

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return an epoch each."""
        some = [self._stage(self.learning_rate, partial(self._choose, epoch)) for epoch in range(self.epochs)]
        return [*some, *(self._stage(rate, _free) for rate in self.fine_learning_rates)]

    def _stage(self, rate: float, edit: Edit) -> Stage:
        optimizer = Optimizer(rate, momentum=self.momentum, weight_decay=self.weight_decay)
        return Stage(optimizer, [Pass([Term("retain", batch_size=self.batch_size)], edit=edit)])

    def _choose(self, epoch: int, module: torch.nn.Module, deletion: Deletion) -> None:
        """Freeze all but an epoch's tensors and normalization, and add its noise."""
        tensors = _tensors(module)
        *earlier, chosen = (self._drawn(len(tensors), deletion.seeds / e) for e in range(epoch + 1))
        for number, tensor in enumerate(tensors):
            tensor.requires_grad_(number in chosen)
        for number in set(chosen[: int(self.noisy * self.tensors)]).difference(*earlier) if epoch else ():
            add_noise(tensors[number], self.noise, deletion.seeds / epoch / "noise" / number)

    def _drawn(self, count: int, seeds: SeedPath) -> list[int]:
        """Return the numbers of an epoch's tensors, of ``count``, in random order."""
        return [int(number) for number in (seeds / "tensors").rng().permutation(count)[: self.tensors]]


def _tensors(module: torch.nn.Module) -> list[torch.Tensor]:
    """Return the weights and biases that are not those of batch normalization."""
    own = {id(parameter) for layer in normalizations(module) for parameter in layer.parameters()}
    return [parameter for parameter in module.parameters() if id(parameter) not in own]


def _free(module: torch.nn.Module, deletion: Deletion) -> None:  # noqa: ARG001 - the same for all deletions
    module.requires_grad_(True)
