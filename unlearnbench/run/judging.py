"""Judging benches as work that any process can do: there, it reads the episodes from the store and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.canonical import canonical_json
from unlearnbench.core.estimates import Estimate
from unlearnbench.run.bench import BenchJudge
from unlearnbench.run.plan import Bench, Cell
from unlearnbench.run.recipe import Recipe
from unlearnbench.run.store import Failure, SharedStore, Store
from unlearnbench.run.work import guarded
from unlearnbench.run.workshop import Workshop


@dataclass(frozen=True, eq=False)
class Judged:
    """What was found for one cell: the attack's scores of the target rows (n,), and estimates by name."""

    scores: NDArray[np.float64]
    estimates: Mapping[str, Estimate]


Verdicts = dict[str, Judged | Failure]
"""What became of the cells of a bench, by key."""


class BenchWork:
    """Judges the cells of a bench, all in one process: they share what they are judged by."""

    def __init__(self, recipe: Recipe, root: Path) -> None:
        self.recipe = recipe
        self.root = root

    @classmethod
    def here(cls, workshop: Workshop, store: Store) -> BenchWork:
        """Return work that uses this process's workshop and store as long as it stays in this process."""
        work = cls(Recipe.of(workshop.registry), store.root.absolute())
        work.workshop, work.store = workshop, store
        return work

    def __call__(self, bench: Bench) -> Verdicts | Failure:
        """Judge the cells; UserError where the plug-ins are not those of the recipe."""
        judge = guarded(partial(BenchJudge.load, bench, self.store, self.workshop))
        if isinstance(judge, Failure):
            return judge
        return {key: guarded(partial(_judged, judge, cell)) for key, cell in bench.cells.items()}

    def __reduce__(self) -> tuple[type[BenchWork], tuple[Recipe, Path]]:
        return BenchWork, (self.recipe, self.root)

    @cached_property
    def workshop(self) -> Workshop:
        """The plug-ins to work with."""
        return Workshop(self.recipe.registry())

    @cached_property
    def store(self) -> Store:
        """The store to read from."""
        return SharedStore(self.root)


def _judged(judge: BenchJudge, cell: Cell) -> Judged:
    scores, estimates = judge(cell)
    canonical_json(plain(estimates))  # what cannot be stored is this cell's failure, not the run's
    return Judged(scores.target, estimates)


def plain(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    """Return estimates as they are stored."""
    return {name: asdict(estimate) for name, estimate in estimates.items()}
