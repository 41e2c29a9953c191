"""Influence unlearning: one step, along the difference of two gradients as published, or by a damped inverse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat

from unlearnbench.core.errors import UserError
from unlearnbench.core.originals import Original
from unlearnbench.core.records import TrainingSet, changes
from unlearnbench.engine.gradients.edits import WeightEdit
from unlearnbench.engine.gradients.importance import gradients_by_record
from unlearnbench.engine.gradients.sums import gradient_sums, move
from unlearnbench.engine.gradients.unlearner import GradientUnlearner, has_module
from unlearnbench.engine.unlearners import Deletion
from unlearnbench.hooks.records import Seen

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Influence(WeightEdit):
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
        counted = sum(map(len, exchanged(deletion))) if at_original(deletion) else len(deletion.retain)
        return len(deletion.forget) + counted

    def precompute(self, original: Original) -> torch.Tensor:
        """Return the gradient of all records of the original, which the first steps of all requests share."""
        return gradient_sums(has_module(original.fitted), [original.data])[0]

    def steps(self, deletions: Sequence[Deletion]) -> torch.Tensor:
        """Return the steps."""
        gone, kept = forget_and_retain_sums(deletions)
        sizes = [(len(each.forget), len(each.retain)) for each in deletions]
        n_f, n_r = (column(numbers, gone) for numbers in zip(*sizes, strict=True))
        factors = column([self.alpha * f / max(f + r, 1) for f, r in sizes], gone)
        step = gone / n_f.clamp(min=1) - kept / n_r.clamp(min=1)
        return factors * step


def forget_and_retain_sums(deletions: Sequence[Deletion]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradients (deletions, P) of the summed losses of the forget sets and of the retain sets.

    At the original that of a retain set is what ``precompute`` returned, less the records that are gone, and the new.
    """
    fitted, forget, n = has_module(deletions[0].fitted), [each.forget for each in deletions], len(deletions)
    if not at_original(deletions[0]):
        sums = gradient_sums(fitted, [*forget, *(each.retain for each in deletions)])
        return sums[:n], sums[n:]
    gone, new = zip(*map(exchanged, deletions), strict=True)
    sums = gradient_sums(fitted, [*forget, *map(records_of, deletions, gone)])
    kept = deletions[0].precomputed - sums[n:]
    if any(map(len, new)):
        kept += gradient_sums(fitted, list(map(records_of, deletions, new)))
    return sums[:n], kept


def exchanged(deletion: Deletion) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids of the original's records that are gone, and of those that are new."""
    return changes(deletion.original.data, deletion.retain)


def records_of(deletion: Deletion, ids: NDArray[np.int64]) -> TrainingSet:
    """Return some records as a deletion hands them over."""
    return TrainingSet.of(deletion.original.data.records, ids)


def column(numbers: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """Return numbers as a column (n, 1) of the type of another tensor."""
    import torch

    return torch.tensor(numbers, dtype=like.dtype, device=like.device).unsqueeze(1)


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
        fitted, forget, retain = has_module(deletion.fitted), deletion.forget, deletion.retain
        if len(retain) * sum(each.numel() for each in module.parameters()) > _MOST_NUMBERS:
            raise UserError(
                "influence-damped needs a smaller network or fewer records: their gradients are over 2^27 numbers"
            )
        n = max(len(retain), 1)
        wanted = gradient_sums(fitted, [forget])[0] / n
        move(module, damped_inverse(gradients_by_record(fitted, retain), wanted, self.damping, n))


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
