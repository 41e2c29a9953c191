"""NegMerge: learn the forget set even better in several ways, then go the other way where all of them agree."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.models import Fitted
from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class NegMerge(GradientUnlearner):
    """Subtract ``scale`` times the mean change of each weight on whose sign all networks tuned on the forget set agree.

    The networks minimize the cross-entropy of the forget set by SGD, from the original on, with ``learning_rate`` times
    each of ``factors``. Weights on which they disagree, or that one of them does not change, stay. Batch normalization:
    in evaluation mode, buffers stay. With nothing to forget the network stays. Source: Kim et al. 2024, arXiv
    2410.05583, the rule of merging; how networks are tuned and ``scale``, which the paper chooses by the accuracy on
    retained records, are ours.

    ``scale``: of what is subtracted

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``factors``: of the step size, one for each network

    ``batch_size``: records of a batch
    """

    scale: NonNegativeFloat = 1.0
    epochs: NonNegativeInt = 5
    learning_rate: NonNegativeFloat = 0.01
    factors: tuple[NonNegativeFloat, ...] = (0.5, 1.0, 2.0)
    batch_size: PositiveInt = 64

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "labels")

    def unlearn_all(self, deletions: Sequence[Deletion]) -> list[Fitted]:
        """Tune the networks of all deletions, then merge those of each."""
        tuned = [each.unlearn_all(deletions) for each in self._tunings()]
        return [
            self._result(deletion, self._merged(deletion, [networks[i] for networks in tuned]))
            for i, deletion in enumerate(deletions)
        ]

    def record_passes(self, deletion: Deletion) -> float:
        """Return the passes of all tunings together."""
        return sum(each.record_passes(deletion) for each in self._tunings())

    def _tunings(self) -> list[_Tuning]:
        return [_Tuning(self.epochs, self.learning_rate * factor, self.batch_size) for factor in self.factors]

    def _merged(self, deletion: Deletion, networks: Sequence[Fitted]) -> torch.nn.Module:
        module = copy.deepcopy(has_module(deletion.fitted).module)
        together = zip(*(has_module(each).module.parameters() for each in networks), strict=True)
        for weight, tuned in zip(module.parameters(), together, strict=False):  # without networks nothing is merged
            weight.data -= self.scale * unanimous([(each - weight).detach() for each in tuned])
        return module


@dataclass(frozen=True)
class _Tuning(GradientUnlearner):
    """Minimizes the cross-entropy of the forget set."""

    epochs: int
    learning_rate: float
    batch_size: int

    sees: ClassVar[tuple[Seen, ...]] = NegMerge.sees
    mode: ClassVar[Literal["train", "eval"]] = "eval"

    def stages(self, original: Original) -> Sequence[Stage]:
        one = Pass([Term("forget", batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate), [one] * self.epochs)]


def unanimous(changes: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the mean of several tensors where all are positive or all negative, else 0."""
    import torch

    stacked = torch.stack(list(changes))
    agree = (stacked > 0).all(dim=0) | (stacked < 0).all(dim=0)
    return stacked.mean(dim=0).where(agree, 0.0)
