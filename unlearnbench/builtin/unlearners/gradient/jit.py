"""JiT: flatten the network around the forget set, without labels and without other records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from unlearnbench.core.originals import Original
from unlearnbench.engine.gradients.batch import Batch
from unlearnbench.engine.gradients.passes import Optimizer, Pass, Stage, Term
from unlearnbench.engine.gradients.unlearner import GradientUnlearner
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class JiT(GradientUnlearner):
    """Minimize, by SGD, the sum over the forget set of the mean over ``copies`` of N(f(x) - f(x')) / N(x - x').

    f are logits, x the inputs of the network, x' is x with Gaussian noise, clipped to the least and the largest number
    in the batch, N is the norm. The gradient goes through f(x) only. Labels are not read. Batch normalization: in
    evaluation mode (ours). With nothing to forget the network stays. Source: Foster et al. 2024, arXiv 2402.01401. Its
    code never clears the gradient, so that it sums over batches; here each batch has its own. The step size is that of
    the port SUPREME, since that of the code depends on the architecture.

    ``copies``: noisy copies of each record

    ``sigma``: standard deviation of the noise, in units of the network's inputs

    ``epochs``: passes over the forget set

    ``learning_rate``: step size

    ``batch_size``: records of a batch
    """

    copies: PositiveInt = 25
    sigma: PositiveFloat = 0.1
    epochs: NonNegativeInt = 1
    learning_rate: NonNegativeFloat = 1e-3
    batch_size: PositiveInt = 64

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set",)
    mode: ClassVar[Literal["train", "eval"]] = "eval"

    def stages(self, original: Original) -> Sequence[Stage]:
        """Return passes over the forget set."""
        one = Pass([Term("forget", self._steepness, batch_size=self.batch_size)])
        return [Stage(Optimizer(self.learning_rate), [one] * self.epochs)]

    def _steepness(self, batch: Batch) -> torch.Tensor:
        """Return the mean over copies (n,), times the records of the batch, over which the engine takes the mean."""
        import torch

        slopes = [slope(batch, self.sigma * batch.noise(copy)) for copy in range(self.copies)]
        return batch.size * torch.stack(slopes).mean(dim=0)


def slope(batch: Batch, noise: torch.Tensor) -> torch.Tensor:
    """Return how much logits differ over how much inputs do (n,); 0 where a copy is the record itself."""
    import torch

    low, high = within(batch)
    x = batch.inputs
    copy = (x + noise).clamp(low, high)
    with torch.no_grad():
        answers = batch.answer(copy)
    far = (copy - x).flatten(1).norm(dim=1)
    return torch.where(far > 0, (batch.logits - answers).norm(dim=1) / far.where(far > 0, 1.0), 0.0)


def within(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and the largest number of the batch of each record's network, to compare with the inputs."""
    numbers = batch.inputs.reshape(-1, batch.size * batch.inputs[0].numel())
    shape = (-1, *[1] * (batch.inputs.dim() - 1))
    low, high = (each.repeat_interleave(batch.size).reshape(shape) for each in numbers.aminmax(dim=1))
    return low, high
