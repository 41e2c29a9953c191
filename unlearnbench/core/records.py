"""Data sets and training sets as values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.arrays import InexactError, ReadOnlyArrays, exact, read_only
from unlearnbench.core.messages import as_line, brief
from unlearnbench.core.seeding import row_keys

Order = Literal["slot", "compact", "fresh"]
"""What a deletion does to the training order of the others.

``slot``: the deleted record is masked and its slot stays empty. ``compact``: the later records move up. ``fresh``: the
order is drawn again.
"""


@dataclass(frozen=True)
class Provenance:
    """Where a data set comes from and what may be done with it."""

    source: str
    licence: str
    note: str = ""


@dataclass(frozen=True, eq=False)
class Records(ReadOnlyArrays):
    """A data set. ``x`` (n, ...) float64, ``y`` (n,) int64 in ``range(n_classes)``; a record's id is its row.

    Numbers of other types are converted where none changes, such as labels 0.0 and 1.0. ValueError for what else is
    wrong. Both arrays become read-only.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.int64]
    n_classes: int
    provenance: Provenance
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    """The least and the largest value that every feature can have, such as the levels of a pixel; None if unknown."""
    mislabelled: NDArray[np.bool_] | None = None
    """Which records (n,) were given another class than theirs, on purpose; None where nobody says so."""
    canary: NDArray[np.bool_] | None = None
    """Which records (n,) are canaries: put in the place of others to be deleted. What models are worth is not measured
    on them. None where there are none."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or "/" in self.name:
            raise ValueError(
                f"name: must not be empty or hold a slash, since draws are named by it, got {brief(self.name)}"
            )
        vars(self).update(x=self._numbers("x", np.float64), y=self._numbers("y", np.int64))
        self._check_shapes()
        self._check_values()
        self._make_read_only()

    def _numbers(self, name: str, dtype: type[np.generic]) -> NDArray[np.float64] | NDArray[np.int64]:
        try:
            return exact(getattr(self, name), dtype)
        except InexactError as error:
            raise self._fault(f"{name}: {error}") from error

    def _check_shapes(self) -> None:
        if self.y.ndim != 1:
            right = "y.ravel()" if self.y.size == len(self.x) else "y.argmax(axis=1), if they are one-hot"
            raise self._fault(f"y: labels must be of shape (n,), not {self.y.shape}; give {right}")
        if self.x.ndim < 2:
            raise self._fault(f"x: features must be of shape (n, ...), not {self.x.shape}; give x[:, None] for one")
        if len(self.x) != len(self.y):
            raise self._fault(f"{len(self.x)} rows of x but {len(self.y)} labels")

    def _check_values(self) -> None:
        known = isinstance(self.n_classes, int | np.integer) and not isinstance(self.n_classes, bool)
        if not known or self.n_classes < 1:
            raise self._fault(f"n_classes must be a positive integer, got {brief(self.n_classes)}")
        if len(wrong := np.flatnonzero((self.y < 0) | (self.y >= self.n_classes))):
            raise self._fault(f"y: labels must lie in 0..{self.n_classes - 1}, row {wrong[0]} has {self.y[wrong[0]]}")
        if not np.isfinite(self.x).all():
            place = np.argwhere(~np.isfinite(self.x))[0]
            raise self._fault(f"x: row {place[0]}, {self._feature(place[1:])} is {self.x[tuple(place)]}, not finite")
        self._check_bounds()
        self._check_mark("mislabelled")
        self._check_mark("canary")

    def _check_mark(self, name: str) -> None:
        told = getattr(self, name)
        if told is not None and (np.asarray(told).dtype != np.bool_ or np.shape(told) != self.y.shape):
            raise self._fault(f"{name} must be true or false for each of {len(self.y)} records")

    def _check_bounds(self) -> None:
        if self.bounds is None:
            return
        low, high = self._two_numbers(self.bounds)
        if (beyond := (self.x < low) | (self.x > high)).any():
            place = np.argwhere(beyond)[0]
            told = f"x: row {place[0]}, {self._feature(place[1:])} is {self.x[tuple(place)]}"
            raise self._fault(f"{told}, beyond its bounds {low:g} and {high:g}")

    def _two_numbers(self, bounds: tuple[float, float]) -> tuple[float, float]:
        try:
            low, high = map(float, bounds)
        except (TypeError, ValueError):
            low, high = 0.0, 0.0
        if not -np.inf < low < high < np.inf:
            raise self._fault(f"bounds must be two finite numbers, the first the smaller, got {brief(bounds)}")
        return low, high

    def _feature(self, place: NDArray[np.int64]) -> str:
        """Name a feature by its place in a record."""
        number = ", ".join(map(str, place))
        known = len(place) == 1 and place[0] < len(self.feature_names)
        return f"feature {number}" + (f' "{self.feature_names[place[0]]}"' if known else "")

    def _fault(self, what: str) -> ValueError:
        return ValueError(as_line(f'data set "{self.name}": {what}'))

    def __len__(self) -> int:
        return len(self.y)

    @cached_property
    def sha256(self) -> str:
        """The checksum of the content: shapes, features, labels, and marks where there are some."""
        digest = hashlib.sha256(f"{self.x.shape} {self.x.dtype.str} {self.n_classes}".encode())
        digest.update(np.ascontiguousarray(self.x).data)
        digest.update(np.ascontiguousarray(self.y).data)
        if self.mislabelled is not None:
            digest.update(np.packbits(self.mislabelled).data)
        if self.canary is not None:
            digest.update(b"canary" + np.packbits(self.canary).tobytes())
        return digest.hexdigest()

    def without_canaries(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of ``ids`` that are no canaries, in their order."""
        return ids if self.canary is None else ids[~self.canary[ids]]

    @cached_property
    def has_duplicate(self) -> NDArray[np.bool_]:
        """Which records (n,) share all their features with another: deleting those deletes nothing."""
        _, inverse, counts = np.unique(row_keys(self.x), return_inverse=True, return_counts=True)
        return read_only(np.asarray(counts[inverse] > 1))

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """The standard deviation (...) of each feature over all records."""
        return read_only(np.asarray(self.x.std(axis=0)))


@dataclass(frozen=True)
class Step(ReadOnlyArrays):
    """One version of a deletion request: record ids forgotten and, in online learning, ids added with it.

    ValueError where these are not integers of shape (n,).
    """

    forget: NDArray[np.int64]
    add: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        vars(self).update(forget=record_ids("forget", self.forget), add=record_ids("add", self.add))
        self._make_read_only()


def record_ids(name: str, values: object) -> NDArray[np.int64]:
    """Return record ids as int64 of shape (n,); ValueError, which starts with ``name``, where they are no integers."""
    try:
        ids = exact(values, np.int64)
    except InexactError as error:
        raise ValueError(f"{name}: record ids must be integers; {error}") from error
    if ids.ndim != 1:
        raise ValueError(f"{name}: record ids must be of shape (n,), not {ids.shape}")
    return ids


@dataclass(frozen=True, eq=False)
class TrainingSet(ReadOnlyArrays):
    """The records one model is trained on."""

    records: Records
    ids: NDArray[np.int64]
    """Rows (n,) of ``records``, in training order."""
    mask: NDArray[np.bool_]
    """False (n,) where a record was deleted but keeps its slot; such rows must not be learned from."""
    reference: TrainingSet | None = None
    """The original's training set where this one results from a deletion; ``scaler: original`` scales by it."""

    @classmethod
    def of(cls, records: Records, ids: Sequence[int] | NDArray[np.int64]) -> TrainingSet:
        """Return the training set of these records, none deleted."""
        rows = record_ids("training set", ids)
        return cls(records, rows, np.ones(len(rows), dtype=np.bool_))

    @property
    def n_classes(self) -> int:
        """The number of classes of the data set, whether or not all occur in this training set."""
        return self.records.n_classes

    @property
    def kept_ids(self) -> NDArray[np.int64]:
        """Ids (m,) of the records to learn from."""
        return self.ids[self.mask]

    @property
    def x(self) -> NDArray[np.float64]:
        """Features (m, ...) of the records to learn from, in training order."""
        return self.records.x[self.kept_ids]

    @property
    def y(self) -> NDArray[np.int64]:
        """Labels (m,) of the records to learn from, in training order."""
        return self.records.y[self.kept_ids]

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """The standard deviation of each feature over all ``ids``, deleted ones too."""
        return read_only(np.asarray(self.records.x[self.ids].std(axis=0)))

    @property
    def original(self) -> TrainingSet:
        """The training set of the original model: this one, unless it results from a deletion."""
        return self.reference or self

    def __len__(self) -> int:
        return int(np.count_nonzero(self.mask))

    @cached_property
    def fingerprint(self) -> str:
        """A hash that identifies a training set of a data set: ids, order, mask and reference."""
        digest = hashlib.blake2b(self.ids.tobytes() + self.mask.tobytes(), digest_size=16)
        digest.update((self.reference.fingerprint if self.reference else "").encode())
        return digest.hexdigest()

    def select(self, rows: NDArray[np.bool_]) -> TrainingSet:
        """Return these rows (n,), such as those of a shard, as an original training set."""
        return TrainingSet(self.records, self.ids[rows], self.mask[rows])

    def after(self, step: Step, order: Order = "slot") -> TrainingSet:
        """Return the training set after one step: forgotten records masked (slot) or dropped, added ones appended."""
        ids, mask = self.ids, self.mask
        if len(step.add):
            ids = np.concatenate([ids, step.add])
            mask = np.concatenate([mask, np.ones(len(step.add), dtype=np.bool_)])
        mask = mask & ~among(ids, step.forget)
        if order != "slot":
            ids, mask = ids[mask], mask[mask]
        return TrainingSet(self.records, ids, mask, self.original)


def changes(before: TrainingSet, after: TrainingSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids learned from in ``before`` alone and in ``after`` alone, each as often as it is one time more."""
    gone, new = _exchanged(before, after)
    if not among(gone, new).any():  # so it is after a deletion in place, where counting takes a hundred times as long
        return np.sort(gone), np.sort(new)
    size = len(after.records)
    difference = np.bincount(new, minlength=size) - np.bincount(gone, minlength=size)
    ids = np.flatnonzero(difference)
    more = difference[ids]
    return np.repeat(ids, np.maximum(-more, 0)), np.repeat(ids, np.maximum(more, 0))


def _exchanged(before: TrainingSet, after: TrainingSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids learned from in each alone, but for slots that both have; a record may be among both."""
    slots = len(before.ids)
    if not (before.ids is after.ids or np.array_equal(before.ids, after.ids[:slots])):
        return before.kept_ids, after.kept_ids
    own, first = before.mask, after.mask[:slots]
    added = after.ids[slots:][after.mask[slots:]]
    return before.ids[own & ~first], np.concatenate([before.ids[first & ~own], added])


def among(ids: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which record ids (n,) are among others, as ``np.isin`` does.

    A few are compared one by one. A lookup table is faster for many, because ids are dense, which numpy cannot know.
    """
    if len(others) >= _FEW:
        return np.isin(ids, others, kind="table")
    found = np.zeros(len(ids), dtype=np.bool_)
    for each in others.tolist():
        found |= ids == each
    return found


_FEW = 20
"""From how many ids on a table is faster."""
