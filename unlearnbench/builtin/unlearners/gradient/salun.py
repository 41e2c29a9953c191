"""SalUn: random labels, and only the weights move that matter most for the forget set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from unlearnbench.builtin.unlearners.gradient.random_label import RandomLabel
from unlearnbench.engine.gradients.layers import smallest_of_rows
from unlearnbench.engine.gradients.sums import by_parameter, gradient_sums
from unlearnbench.engine.gradients.unlearner import has_module
from unlearnbench.engine.unlearners import Deletion

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SalUn(RandomLabel):
    """``random-label`` on the ``share`` of all weights with the largest gradient of the forget set's loss.

    The gradient is that of the mean over the forget set, in evaluation mode; its absolute values are ranked over all
    parameters together, biases and normalization included. The other weights stay to the bit, also under momentum and
    weight decay. Batch normalization: in training mode. Source: Fan et al. 2024, arXiv 2310.12508, code of 2026.

    ``share``: of the weights that may move, rounded down
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.5

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the forget set."""
        return len(deletion.forget)

    def mask_all(
        self, modules: Sequence[torch.nn.Module], deletions: Sequence[Deletion]
    ) -> Sequence[Sequence[torch.Tensor]]:
        """Return where the gradient is large, of all deletions at once."""
        import torch

        sizes = torch.tensor([[max(len(each.forget), 1)] for each in deletions])
        sums = gradient_sums(has_module(deletions[0].fitted), [each.forget for each in deletions])
        gradients = sums / sizes.to(sums)
        chosen = smallest_of_rows(-gradients.abs(), int(self.share * gradients.shape[1]))
        return [by_parameter(module, row) for module, row in zip(modules, chosen, strict=True)]
