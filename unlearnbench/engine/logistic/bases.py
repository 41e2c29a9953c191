"""Which base each training set leaves records out of, so that those of one base can be solved together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet, among


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Training set number ``index`` of a call, as its base less the records at places ``gone`` (r,) of the base."""

    index: int
    data: TrainingSet
    gone: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BaseSet:
    """A base, ``data``, and the training sets that leave records out of it."""

    data: TrainingSet
    members: list[LeftOut] = field(default_factory=list)

    @cached_property
    def _ids(self) -> NDArray[np.int64]:
        return self.data.kept_ids

    @cached_property
    def _per_class(self) -> NDArray[np.int64]:
        return np.bincount(self.data.y, minlength=self.data.n_classes)

    def add(self, index: int, data: TrainingSet) -> bool:
        """Add a set as a member if it is this base less some records, and still has all its classes."""
        ids = data.kept_ids
        kept = among(self._ids, ids)
        left, gone = self._ids[kept], np.flatnonzero(~kept)
        lost = np.bincount(data.records.y[self._ids[gone]], minlength=data.n_classes)
        same = np.array_equal(left, ids) or np.array_equal(np.sort(left), np.sort(ids))
        if not same or ((lost == self._per_class) & (lost > 0)).any():
            return False
        self.members.append(LeftOut(index, data, gone))
        return True


def by_base(sets: Sequence[TrainingSet]) -> list[BaseSet]:
    """Return the bases of all sets, each with its members.

    A set's base is its original, or itself where it has records that the original lacks, or lacks a class that the
    original has: that is another problem. The base depends on the set alone, not on which others come with it.
    """
    bases: dict[tuple[int, str], BaseSet] = {}

    def base(data: TrainingSet) -> BaseSet:
        return bases.setdefault((id(data.records), data.fingerprint), BaseSet(data))

    for index, data in enumerate(sets):
        if not base(data.original).add(index, data):
            base(data).add(index, data)
    return [each for each in bases.values() if each.members]
