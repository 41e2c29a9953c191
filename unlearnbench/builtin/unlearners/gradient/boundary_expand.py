"""Boundary expand: teach the forget set a class of its own, which is then dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.gradients.width import narrow, widen
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BoundaryExpand(GradientUnlearner):
    """Add a class to the last linear layer, minimize its cross-entropy on the forget set by SGD, and drop it.

    Its weights are drawn as for an untrained layer, from the seed of the version. Labels are not read. Made for the
    deletion of whole classes. Batch normalization: in training mode. With nothing to forget the network stays. Needs a
    network that ends in a linear layer. Source: Chen et al. 2023, arXiv 2303.11570; values as for ``boundary-shrink``.
    The port in the code of Fan et al. 2024 keeps the class.

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``momentum``: of SGD
    """

    epochs: NonNegativeInt = 10
    learning_rate: NonNegativeFloat = 1e-5
    batch_size: PositiveInt = 64
    momentum: NonNegativeFloat = 0.9

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set",)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Add the class."""
        widen(has_module(deletion.fitted).blocks(module)[-1], (deletion.seeds / "class").seed())

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the forget set."""
        one = Pass([Term("forget", last_class, batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate, momentum=self.momentum), [one] * self.epochs)]

    def finish(
        self, module: torch.nn.Module, snapshots: Sequence[torch.nn.Module], deletion: Deletion
    ) -> torch.nn.Module:
        """Drop the class."""
        narrow(has_module(deletion.fitted).blocks(module)[-1])
        return module


def last_class(batch: Batch) -> torch.Tensor:
    """Return the cross-entropy (n,) of the last class."""
    import torch

    return batch.cross_entropy(torch.full_like(batch.logits[:, 0], batch.n_classes - 1, dtype=torch.int64))
