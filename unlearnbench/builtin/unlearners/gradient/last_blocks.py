"""CF-k and EU-k: only the last k blocks of the network are trained, on the retain set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.fresh import initialize
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class CFk(GradientUnlearner):
    """Minimize CE(retain) + ``anchor`` d^2 over the last ``k`` blocks by SGD; the others stay to the bit.

    d is the distance of the weights from where they start. Blocks are those of the model, of an mlp its linear layers.
    Batch normalization: in evaluation mode, without dropout. Source: Goel et al. 2022, arXiv 2201.06640, code of
    Kurmanji et al. 2023; there k is chosen by architecture, 1 is ours.

    ``k``: how many blocks, all of them at most

    ``epochs``: passes over the retain set

    ``learning_rate``: step size

    ``batch_size``: records of a batch

    ``anchor``: how strongly weights are held where they start
    """

    k: PositiveInt = 1
    epochs: NonNegativeInt | None = 10
    learning_rate: NonNegativeFloat = 0.01
    batch_size: PositiveInt = 64
    anchor: NonNegativeFloat = 0.1

    sees: ClassVar[tuple[Seen, ...]] = ("retain-set", "labels")
    mode: ClassVar[Literal["train", "eval"]] = "eval"

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Freeze the first blocks."""
        module.requires_grad_(False)
        for block in has_module(deletion.fitted).blocks(module)[-self.k :]:
            block.requires_grad_(True)

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the retain set."""
        one = Pass([Term("retain", batch_size=self.batch_size)], penalty=self._pull if self.anchor else None)
        return [Stage(Optimizer(self.learning_rate), [one] * self._epochs(original))]

    def _epochs(self, original: Original) -> int:
        return int(getattr(original.model, "epochs", 10)) if self.epochs is None else self.epochs

    def _pull(self, weight: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        return 2 * self.anchor * (weight - start)


@dataclass(frozen=True)
class EUk(CFk):
    """Draw the last ``k`` blocks anew, then train them as ``cf-k`` does; with all blocks it is training from scratch.

    Weights are drawn as for an untrained network, from the seed of the version.

    ``epochs``: passes over the retain set; none means those of the original's training
    """

    epochs: NonNegativeInt | None = None

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Freeze the first blocks and draw the last ones anew."""
        super().edit(module, deletion)
        for number, block in enumerate(has_module(deletion.fitted).blocks(module)[-self.k :]):
            initialize(block, (deletion.seeds / "block" / number).seed())
