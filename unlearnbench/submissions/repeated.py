"""What the cells of one group say twice must be said in the same way: baselines, and what a defense released."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.cells import Cell
from unlearnbench.run.instances import PluginInstances, baseline_ref

RELEASED = ("unchanged", "released")
"""The arrays that cells with one defense share."""


def contradictions(
    cells: Sequence[Cell], scores: Mapping[int, CellScores], instances: PluginInstances
) -> Iterator[tuple[int, str]]:
    """Yield the number of each cell of a group that another cell contradicts, and in what.

    ``scores`` are those of the cells that could be read. An attack's baseline is itself an attack: where the suite has
    that cell too, both have the same scores.
    """
    numbers = {(cell.defense.label, cell.attack.key): number for number, cell in enumerate(cells)}
    first: dict[str, int] = {}
    for number, own in scores.items():
        cell = cells[number]
        baseline = baseline_ref(cell.attack, instances)
        other = scores.get(numbers.get((cell.defense.label, baseline.key), -1))
        if other is not None and not _equal((own.baseline, other.scores), (own.baseline_folds, other.folds)):
            yield number, f"its baseline has other scores than the cell of {baseline.name}"
        same_release = scores[first.setdefault(cell.defense.label, number)]
        if not _equal(*((getattr(own, name), getattr(same_release, name)) for name in RELEASED)):
            yield number, "what was released differs from that of another cell with the same models and defense"


def _equal(*pairs: tuple[object, object]) -> bool:
    return all(np.array_equal(one, other) for one, other in pairs)  # type: ignore[arg-type]  # arrays of any type
