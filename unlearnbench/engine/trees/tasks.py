"""Sorting tasks by what they share: the records their original had, and perhaps the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.models import FitTask
from unlearnbench.core.records import TrainingSet
from unlearnbench.engine.sklearn_model import training_table
from unlearnbench.engine.trees.table import Table, tabulate


class Base:
    """A training set that others are less some records of."""

    def __init__(self, data: TrainingSet) -> None:
        self.data = data
        self.ids = data.kept_ids
        self._place = np.full(len(data.records), -1)
        self._place[self.ids] = np.arange(len(self.ids))

    @cached_property
    def table(self) -> Table:
        """The records as trees read them."""
        return tabulate(*training_table(self.data), self.data.n_classes)

    def less(self, data: TrainingSet) -> NDArray[np.int64] | None:
        """Return the places (k,) in ``ids`` that ``data`` does without; None where it is not this less some."""
        at = self._place[data.kept_ids]
        stays = np.zeros(len(self.ids), dtype=np.bool_)
        stays[at] = True  # a foreign record's -1 marks the last place, which the next line does not mind
        if (at < 0).any() or stays.sum() != len(at):
            return None
        return np.flatnonzero(~stays)


@dataclass(eq=False)
class Group:
    """Tasks on one base set: where they stand in the call, the base's rows each does without, and its seed."""

    base: Base
    places: list[int] = field(default_factory=list)
    gone: list[NDArray[np.int64]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)


def groups_of(tasks: Sequence[FitTask], by_seed: bool) -> list[Group]:
    """Return the tasks in groups, of one seed each or not; one that is not its original less some is its own base."""
    bases: dict[object, Base] = {}
    groups: dict[object, Group] = {}

    def base_of(data: TrainingSet) -> Base:
        key = (id(data.records), data.fingerprint)
        if key not in bases:
            bases[key] = Base(data)
        return bases[key]

    for place, task in enumerate(tasks):
        if not len(task.data):
            training_table(task.data)  # says what is wrong
        base, seed = base_of(task.data.original), task.seeds.init
        gone = base.less(task.data)
        if gone is None:
            base, gone = base_of(task.data), np.empty(0, dtype=np.int64)
        group = groups.setdefault((id(base), seed if by_seed else None), Group(base))
        group.places.append(place)
        group.gone.append(gone)
        group.seeds.append(seed)
    return list(groups.values())
