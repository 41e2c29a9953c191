"""A data set of which a share of records is replaced by canaries, for a scenario that deletes these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt

from unlearnbench.builtin.datasets.canaries.gradient_norm import gradient_norm
from unlearnbench.builtin.datasets.canaries.rare_flip import rare_flip
from unlearnbench.builtin.datasets.derived import Derived
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Records
from unlearnbench.core.seeding import SeedPath, keyed_bits

Kind = Literal["rare-flip", "gradient-norm"]
Choice = Callable[[Records, SeedPath], tuple[NDArray[np.float64], NDArray[np.int64]]]
"""Of each record how well it serves as a canary (n,), the higher the better, and the class that it would have (n,)."""
KINDS: Final[Mapping[Kind, Choice]] = {"rare-flip": rare_flip, "gradient-norm": gradient_norm}
DIGITS: Final = 6
"""Scores that agree in so many significant digits are ties: others may differ by rounding between machines."""


@dataclass(frozen=True)
class Canaries(Derived):
    """A built-in data set in which canaries take the place of ``share`` of the records, rounded.

    A canary has the features of the record that it replaces and another class, so it has no duplicate and nothing
    contradicts it; records with a duplicate are not replaced. ``rare-flip`` takes the records that are farthest from
    their fifth nearest neighbour in a sample of 2,000, and draws the class. ``gradient-norm`` takes the records and
    classes with the largest gradient of ridge regression that was trained on all other records. What is drawn is keyed
    by the name of the data set, ``draw`` and the number of the record: anyone can make the canaries again, and they do
    not depend on the seed of a run. Whether a model is trained on one is drawn as for any record: about ``share`` of
    each training set are canaries. The scenario ``canary`` deletes them. Accuracies leave them out.

    ``of``: the data set

    ``share``: of the records

    ``kind``: of the canaries

    ``draw``: another number draws other classes and breaks ties otherwise
    """

    share: Annotated[float, Field(gt=0, le=0.2)] = 0.05
    kind: Kind = "rare-flip"
    draw: NonNegativeInt = 0

    def load(self) -> Records:
        """Return the records."""
        return with_canaries(self.source.load(), self.share, self.kind, SeedPath(self.draw) / "canaries" / self.of)


def with_canaries(records: Records, share: float, kind: Kind, seeds: SeedPath) -> Records:
    """Return records of which canaries replace a share. UserError where there can be none."""
    if records.n_classes < 2:
        raise UserError(f"canaries have another class than the records that they replace, {records.name} has only one")
    score, label = KINDS[kind](records, seeds / "class")
    single = ~records.has_duplicate
    canary = highest(np.where(single, score, -np.inf), round(share * len(records)), seeds / "ties") & single
    if not canary.any():
        where = f"of {len(records)} records of {records.name}, {single.sum()} of them without a duplicate"
        raise UserError(f"share: {share:g} {where}, is no canary; raise it, or take another data set")
    note = f"{records.name} with {canary.sum()} canaries ({kind}); {records.provenance.note}".rstrip("; ")
    return replace(
        records,
        name="canaries",
        y=np.where(canary, label, records.y),
        provenance=replace(records.provenance, note=note),
        mislabelled=canary,
        canary=canary,
    )


def highest(score: NDArray[np.float64], n: int, seeds: SeedPath) -> NDArray[np.bool_]:
    """Return which records (m,) have the ``n`` highest scores; ties, up to rounding, are drawn."""
    order = np.lexsort((keyed_bits(seeds.seed(), np.arange(len(score))), -_rounded(score)))
    chosen = np.zeros(len(score), dtype=np.bool_)
    chosen[order[:n]] = True
    return chosen


def _rounded(score: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([float(f"{value:.{DIGITS}g}") for value in score])
