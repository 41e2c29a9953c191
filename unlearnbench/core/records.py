"""Data sets and training sets as values."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

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
class Records:
    """A data set. ``x`` (n, ...) float, ``y`` (n,) int64 in ``range(n_classes)``; a record's id is its row."""

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.int64]
    n_classes: int
    provenance: Provenance
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name:
            raise ValueError(f"name: must not be empty or hold a slash, since draws are named by it, got {self.name!r}")
        if len(self.x) != len(self.y):
            raise ValueError(f"{self.name}: {len(self.x)} rows of x but {len(self.y)} labels")
        if not np.isin(self.y, np.arange(self.n_classes)).all():
            raise ValueError(f"{self.name}: labels must lie in 0..{self.n_classes - 1}")
        if not np.isfinite(self.x).all():
            raise ValueError(f"{self.name}: x holds values that are not finite")

    def __len__(self) -> int:
        return len(self.y)

    @cached_property
    def sha256(self) -> str:
        """The checksum of the content: shapes, features, labels."""
        digest = hashlib.sha256(f"{self.x.shape} {self.x.dtype.str} {self.n_classes}".encode())
        digest.update(np.ascontiguousarray(self.x).data)
        digest.update(np.ascontiguousarray(self.y).data)
        return digest.hexdigest()

    @cached_property
    def has_duplicate(self) -> NDArray[np.bool_]:
        """Which records (n,) share all their features with another: deleting those deletes nothing."""
        _, inverse, counts = np.unique(row_keys(self.x), return_inverse=True, return_counts=True)
        return np.asarray(counts[inverse] > 1)


@dataclass(frozen=True)
class Step:
    """One version of a deletion request: record ids forgotten and, in online learning, ids added with it."""

    forget: NDArray[np.int64]
    add: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class TrainingSet:
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
        rows = np.asarray(ids, dtype=np.int64)
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
        return np.asarray(self.records.x[self.ids].std(axis=0))

    @property
    def original(self) -> TrainingSet:
        """The training set of the original model: this one, unless it results from a deletion."""
        return self.reference or self

    def __len__(self) -> int:
        return int(self.mask.sum())

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
        ids = np.concatenate([self.ids, step.add])
        mask = np.concatenate([self.mask, np.ones(len(step.add), dtype=np.bool_)])
        mask &= ~among(ids, step.forget)
        if order != "slot":
            ids, mask = ids[mask], mask[mask]
        return replace(self, ids=ids, mask=mask, reference=self.original)


def among(ids: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which record ids (n,) are among others: ``np.isin`` by the faster of its two methods.

    Sorting is faster for a few ids. A lookup table is faster for many, because ids are dense, which numpy cannot know.
    """
    return np.isin(ids, others, kind="sort" if len(others) < 20 else "table")
