"""What a person wants to know about a data set before using it: is it available locally, and what does it hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from unlearnbench.core.records import Records

Origin = Literal["package", "variable", "cache", "download", ""]
"""Where a data set is read from: an installed package, UNLEARNBENCH_DATA, the user's cache, or (not yet available) a
download. Empty where none of these is known."""


@dataclass(frozen=True)
class Availability:
    """Whether a data set is available locally."""

    available: bool
    place: str
    """Its path, or how to get it."""
    origin: Origin = ""


@runtime_checkable
class Located(Protocol):
    """A data set that can report its location without being loaded. Others must be loaded to know."""

    def availability(self) -> Availability:
        """Look for the data set without reading it; fast."""
        ...


@runtime_checkable
class Fetchable(Protocol):
    """A data set that can download itself."""

    def fetch(self) -> None:
        """Download what is missing; a UserError that names the ways to get it where that fails."""
        ...


@dataclass(frozen=True)
class DatasetCard:
    """A summary of a data set."""

    name: str
    rows: int
    features: int
    """Numbers per record."""
    classes: tuple[tuple[str, int], ...]
    """(name, rows) of each class, in label order."""
    duplicates: int
    """Rows that share all features with another. Deleting one of those deletes nothing, so they are never deleted."""
    licence: str
    source: str
    note: str
    sha256: str
    """Checksum of the content."""

    @property
    def majority(self) -> float:
        """The share of the largest class: the accuracy of a model that has learned nothing."""
        return max(count for _, count in self.classes) / self.rows


def card(records: Records) -> DatasetCard:
    """Summarize these records; a class without a name is named by its number."""
    names = records.class_names or tuple(str(label) for label in range(records.n_classes))
    counts = np.bincount(records.y, minlength=records.n_classes)
    return DatasetCard(
        name=records.name,
        rows=len(records),
        features=int(np.prod(records.x.shape[1:])),
        classes=tuple(zip(names, counts.tolist(), strict=True)),
        duplicates=int(records.has_duplicate.sum()),
        licence=records.provenance.licence,
        source=records.provenance.source,
        note=records.provenance.note,
        sha256=records.sha256,
    )
