"""Training sets as an original training set less some of its records.

Models of one original share work: its table of features, its optimum, its trees. A *base* is the training set that
others are compared with: a set's original, or the set itself where it is not its original less some records.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import TrainingSet

REMOVED, MASKED, KEPT = 0, 1, 2
"""The status of a base's row in a training set: its id is not there; it is there and masked; it is learned from."""

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Base:
    """A training set that others are compared with."""

    data: TrainingSet

    def removed(self, data: TrainingSet) -> NDArray[np.int64] | None:
        """Return which of the rows (m,) of ``self.data.x`` are not learned from in ``data``, as row numbers (r,).

        None where ``data`` learns from a record that the base does not learn from. The order of records is ignored.
        """
        at = self._row_of_kept[data.kept_ids]
        if (at < 0).any():
            return None
        stays = np.zeros(len(self.data), dtype=np.bool_)
        stays[at] = True
        return np.flatnonzero(~stays) if stays.sum() == len(at) else None  # an id may occur in ``data`` twice

    def row_status(self, data: TrainingSet) -> NDArray[np.uint8] | None:
        """Return the status (n,) in ``data`` of each of the base's ids: ``REMOVED``, ``MASKED`` or ``KEPT``.

        None where the ids of ``data`` are not some of the base's in the base's order.
        """
        at = self._row_of_id[data.ids]
        if not (np.diff(at, prepend=-1) > 0).all():  # ids not in the base give -1, which does not increase
            return None
        status = np.zeros(len(self.data.ids), dtype=np.uint8)
        status[at] = np.where(data.mask, KEPT, MASKED)
        return status

    @cached_property
    def _row_of_kept(self) -> NDArray[np.int64]:
        return _row_of(self.data.kept_ids, len(self.data.records))

    @cached_property
    def _row_of_id(self) -> NDArray[np.int64]:
        return _row_of(self.data.ids, len(self.data.records))


def _row_of(ids: NDArray[np.int64], n_records: int) -> NDArray[np.int64]:
    """Return for each record (n_records,) its position in ``ids``, or -1."""
    row = np.full(n_records, -1)
    row[ids] = np.arange(len(ids))
    return row


class Bases:
    """The bases of one call: equal training sets get one object, so that what is computed for it serves all."""

    def __init__(self) -> None:
        self._bases: dict[tuple[int, str], Base] = {}

    def of(self, data: TrainingSet) -> Base:
        """Return the base whose records, ids, mask and reference are those of ``data``."""
        return self._bases.setdefault((id(data.records), data.fingerprint), Base(data))


@dataclass(frozen=True, eq=False)
class Group:
    """The training sets of one call that are one base less some records; the lists are parallel."""

    base: Base
    indices: list[int] = field(default_factory=list)
    """The position of each set in the call."""
    removed: list[NDArray[np.int64]] = field(default_factory=list)
    """The rows of the base that each set lacks, see :meth:`Base.removed`."""


def group_by_base(
    sets: Sequence[TrainingSet],
    labels: Sequence[Hashable] | None = None,
    accepts: Callable[[Base, NDArray[np.int64]], bool] = lambda base, removed: True,  # noqa: ARG005 - the default
) -> list[Group]:
    """Return all sets in groups; only sets of equal ``labels``, where these are given, share a group.

    A set's base is its original. It is the set itself where the original cannot be, or where ``accepts``, called with
    the original and the rows removed, says no. So a set's base does not depend on the other sets.
    """
    bases, groups = Bases(), dict[Hashable, Group]()
    for index, data in enumerate(sets):
        base = bases.of(data.original)
        removed = base.removed(data)
        if removed is None or not accepts(base, removed):
            base, removed = bases.of(data), _NONE
        group = groups.setdefault((id(base), labels[index] if labels else None), Group(base))
        group.indices.append(index)
        group.removed.append(removed)
    return list(groups.values())
