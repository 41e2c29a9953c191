"""Bad teacher: learn the forget set from a network that knows nothing, the retain set from the original."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.fresh import initialize
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BadTeacher(GradientUnlearner):
    """Minimize KL(teacher || network) / C: an untrained network teaches the forget set, the original the rest.

    The untrained network has the original's structure and weights drawn anew for each version. C is the number of
    classes: the loss of the paper's code is a mean over elements, and its step size belongs to that scale. Labels are
    not read. Adam. Batch normalization: in training mode; teachers answer in evaluation mode. Source: Chundawat et al.
    2023, arXiv 2205.08096, code.

    ``epochs``: passes over the forget set and the sample of the retain set, mixed

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``share``: of the retain set that is used, a sample rounded down
    """

    epochs: NonNegativeInt = 1
    learning_rate: NonNegativeFloat = 1e-4
    batch_size: PositiveInt = 256
    share: Annotated[float, Field(ge=0, le=1)] = 0.3

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set")

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over both sets, mixed."""
        term = Term("both", taught_by_two, batch_size=self.batch_size, share=self.share)
        return [Stage(Optimizer(self.learning_rate, "adam"), [Pass([term])] * self.epochs)]

    def teachers(self, deletion: Deletion) -> dict[str, torch.nn.Module]:
        """Return the untrained network."""
        module = copy.deepcopy(has_module(deletion.fitted).module)
        return {"untrained": initialize(module, (deletion.seeds / "untrained").seed())}


def taught_by_two(batch: Batch) -> torch.Tensor:
    """Return KL / C (n,), from the untrained network's posteriors on the forget set and the original's elsewhere."""
    target = batch.teacher("untrained").where(batch.forgotten.unsqueeze(1), batch.original)
    return batch.divergence(target) / batch.n_classes
