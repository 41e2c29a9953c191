"""Influence unlearning: one step, along the difference of two gradients as published, or by a damped inverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat

from unlearnbench.core.errors import UserError
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet, changes
from unlearnbench.engine.gradients.importance import gradient_sum, gradients_by_record
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

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of the forget set, and of the records that make up the gradient of the retain set."""
        return len(deletion.forget) + sum(len(data) for _, data in counted(deletion))

    def precompute(self, original: Original) -> list[torch.Tensor]:
        """Return the gradient of all records of the original, which the first steps of all requests share."""
        return gradient_sum(has_module(original.fitted), original.data)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Take the step."""
        forget, retain = deletion.forget, deletion.retain
        n_f, n_r = max(len(forget), 1), max(len(retain), 1)
        factor = self.alpha * len(forget) / max(len(forget) + len(retain), 1)
        sums = zip(gradient_sum(has_module(deletion.fitted), forget), retained_sum(deletion), strict=True)
        for weight, (gone, kept) in zip(module.parameters(), sums, strict=True):
            weight.data += factor * (gone / n_f - kept / n_r)


def retained_sum(deletion: Deletion) -> list[torch.Tensor]:
    """Return the gradient of the summed loss of the retain set."""
    fitted = has_module(deletion.fitted)
    sums = [deletion.precomputed] if at_original(deletion) else []
    for sign, data in counted(deletion):
        sums.append([sign * each for each in gradient_sum(fitted, data)])
    return [sum(parts[1:], parts[0]) for parts in zip(*sums, strict=True)]


def counted(deletion: Deletion) -> list[tuple[int, TrainingSet]]:
    """Return sets of records whose gradients, times these signs, make up that of the retain set.

    At the original it is made up of what ``precompute`` returned, less the records that are gone, and the new ones.
    """
    if not at_original(deletion):
        return [(1, deletion.retain)]
    data = deletion.original.data
    gone, new = (TrainingSet.of(data.records, ids) for ids in changes(data, deletion.retain))
    return [(sign, each) for sign, each in ((-1, gone), (1, new)) if len(each)]


def at_original(deletion: Deletion) -> bool:
    """Return whether the model to unlearn from is the original; in later steps it is the version before."""
    return deletion.fitted is deletion.original.fitted


@dataclass(frozen=True)
class DampedInfluence(GradientUnlearner):
    """Add (F + ``damping`` I)^-1 g to the weights, once; g is the summed gradient of the forget set over n_r.

    F = sum g_i g_i^T / n_r is the empirical Fisher information of the n_r retained records, g_i their gradients; the
    step is that of a minimum of the mean loss to the one without the forget set, to first order. Gradients are those of
    evaluation mode; buffers stay. With nothing to forget the network stays. UserError where the gradients of all
    records would be more than 2^27 numbers. Source: Koh and Liang 2017, arXiv 1703.04730; F and ``damping`` are ours.

    ``damping``: what is added to the diagonal
    """

    damping: PositiveFloat = 0.01

    sees: ClassVar[tuple[Seen, ...]] = ("forget-set", "retain-set", "labels")

    def records_read(self, deletion: Deletion) -> int:
        """Return the size of both sets."""
        return len(deletion.forget) + len(deletion.retain)

    def edit(self, module: torch.nn.Module, deletion: Deletion) -> None:
        """Take the step."""
        import torch

        fitted, forget, retain = has_module(deletion.fitted), deletion.forget, deletion.retain
        weights = list(module.parameters())
        if len(retain) * sum(each.numel() for each in weights) > _MOST_NUMBERS:
            raise UserError(
                "influence-damped needs a smaller network or fewer records: their gradients are over 2^27 numbers"
            )
        wanted = torch.cat([each.flatten() for each in gradient_sum(fitted, forget)])
        n = max(len(retain), 1)
        step = damped_inverse(gradients_by_record(fitted, retain), wanted / n, self.damping, n)
        for weight, part in zip(weights, torch.split(step, [each.numel() for each in weights]), strict=True):
            weight.data += part.view_as(weight)


_MOST_NUMBERS = 2**27


def damped_inverse(gradients: torch.Tensor, wanted: torch.Tensor, damping: float, n: int) -> torch.Tensor:
    """Return (G^T G / n + damping I)^-1 v of G (records, P) and v (P,), by conjugate gradients in double precision."""
    rows, solution, rest = gradients.double(), wanted.double() * 0, wanted.double()
    direction, size = rest.clone(), rest @ rest
    goal = 1e-20 * size
    for _ in range(len(rows) + 1):  # after as many steps as there are records it is exact but for rounding
        if size <= goal:
            break
        product = rows.T @ (rows @ direction) / n + damping * direction
        length = size / (direction @ product)
        solution, rest = solution + length * direction, rest - length * product
        size, before = rest @ rest, size
        direction = rest + size / before * direction
    return solution.to(wanted.dtype)
