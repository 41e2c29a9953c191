"""What a person wants to know of a data set before using it: is it at hand, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from unlearnbench.core.records import Records

Way = Literal["package", "variable", "cache", "download", ""]
"""How a data set comes here: installed with a package, found under UNLEARNBENCH_DATA or in the user's cache, or not
here but to be downloaded. Empty where none of these is known."""


@dataclass(frozen=True)
class Availability:
    """Is a data set at hand; ``place`` says where it is, or how to get it, and ``way`` by which way."""

    available: bool
    place: str
    way: Way = ""


@runtime_checkable
class Located(Protocol):
    """A data set that can tell where it is without being loaded. Others are only known to be there once loaded."""

    def availability(self) -> Availability:
        """Look for the data set; quick, and without reading it."""
        ...


@runtime_checkable
class Fetchable(Protocol):
    """A data set that can put itself at hand."""

    def fetch(self) -> None:
        """Download what is not here; a UserError that names the ways to get it where that fails."""
        ...


@dataclass(frozen=True)
class Card:
    """A data set at a glance.

    ``features`` counts the numbers per record · ``classes`` holds (name, rows) in label order · ``duplicates`` counts
    the rows that share all features with another: deleting one of those deletes nothing, so they are never deletion
    targets · ``sha256`` is that of the content.
    """

    name: str
    rows: int
    features: int
    classes: tuple[tuple[str, int], ...]
    duplicates: int
    licence: str
    source: str
    note: str
    sha256: str

    @property
    def majority(self) -> float:
        """The share of the largest class: the accuracy of a model that has learned nothing."""
        return max(count for _, count in self.classes) / self.rows


def card(records: Records) -> Card:
    """Describe these records; classes without a name go by their number."""
    names = records.class_names or tuple(str(label) for label in range(records.n_classes))
    counts = np.bincount(records.y, minlength=records.n_classes)
    return Card(
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
