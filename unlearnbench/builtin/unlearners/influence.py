"""Influence unlearning as it is published: one step along the difference of two gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat

from unlearnbench.engine.gradients.importance import mean_gradient
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Influence(GradientUnlearner):
    """Add ``alpha`` (n_f / n) (g_f - g_r) to the weights, once; g are the mean gradients of forget and retain set.

    The published codes apply an inverse Hessian estimate to this step, whose recursion keeps one vector and, over 1000
    records, returns its input to 1e-4: so it is left out. Gradients are those of evaluation mode; buffers stay. With
    nothing to forget the network stays. Source: Izzo et al. 2021, arXiv 2002.10077; code of Jia et al. 2023, arXiv
    2304.04934.

    ``alpha``: step size
    """

    alpha: NonNegativeFloat = 0.2

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Take the step."""
        fitted, forget, retain = has_module(deletion.fitted), deletion.forget, deletion.retain
        share = len(forget) / max(len(forget) + len(retain), 1)
        pairs = zip(mean_gradient(fitted, forget), mean_gradient(fitted, retain), strict=True)
        for weight, (gone, kept) in zip(module.parameters(), pairs, strict=True):
            weight.data += self.alpha * share * (gone - kept)
