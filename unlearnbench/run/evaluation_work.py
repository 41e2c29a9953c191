"""Judging benches as work that any process can do: there, it reads the episodes from the store and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json
from unlearnbench.run.cells import Cell, CellGroup
from unlearnbench.run.evaluation import Evaluator
from unlearnbench.run.failures import guarded
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.store import SharedStore, Store


@dataclass(frozen=True, eq=False)
class CellResult:
    """What was found for one cell: the attack's scores of the target rows (n,), and estimates by name."""

    scores: NDArray[np.float64]
    estimates: Mapping[str, Estimate]


GroupResult = dict[str, CellResult | Failure]
"""What became of the cells of a bench, by key."""


class EvaluationWork:
    """Judges the cells of a bench, all in one process: they share what they are judged by."""

    def __init__(self, lock: PluginLock, root: Path) -> None:
        self.lock = lock
        self.root = root

    @classmethod
    def here(cls, instances: PluginInstances, store: Store) -> EvaluationWork:
        """Return work that uses this process's instances and store as long as it stays in this process."""
        work = cls(PluginLock.of(instances.registry), store.root.absolute())
        work.instances, work.store = instances, store
        return work

    def __call__(self, bench: CellGroup) -> GroupResult | Failure:
        """Judge the cells; UserError where the plug-ins are not those of the lock."""
        judge = guarded(partial(Evaluator.load, bench, self.store, self.instances))
        if isinstance(judge, Failure):
            return judge
        return {key: guarded(partial(_judged, judge, cell)) for key, cell in bench.cells.items()}

    def kernels(self, _: CellGroup, /) -> str:
        """Return "": nothing is compiled."""
        return ""

    def __reduce__(self) -> tuple[type[EvaluationWork], tuple[PluginLock, Path]]:
        return EvaluationWork, (self.lock, self.root)

    @cached_property
    def instances(self) -> PluginInstances:
        """The plug-ins to work with."""
        return PluginInstances(self.lock.registry())

    @cached_property
    def store(self) -> Store:
        """The store to read from."""
        return SharedStore(self.root)


def _judged(judge: Evaluator, cell: Cell) -> CellResult:
    scores, estimates = judge(cell)
    canonical_json(plain(estimates))  # what cannot be stored is this cell's failure, not the run's
    return CellResult(scores.target, estimates)


def plain(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    """Return estimates as they are stored."""
    return {name: asdict(estimate) for name, estimate in estimates.items()}
