"""Insta-NY and Insta-LA: the check-ins of Chen et al., which are not public; read from a user's own file."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.builtin.datasets.hours import CATEGORIES, HOURS, place_records
from unlearnbench.core.csv_rows import csv_rows, row_of_numbers, whole_number
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import brief
from unlearnbench.core.records import Provenance, Records

Table = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Insta(FileDataset):
    """Places, 168 features (check-ins in each hour of the week, from Monday midnight on), 9 classes (kinds of place).

    No checksum of the file is known; results contain the checksum of the records. The file is ``<city>.npz``,
    ``<city>.csv`` or ``<city>.csv.gz``. An npz file holds ``x`` (n, 168) counts and ``y`` (n,) category numbers 0 to 8;
    a csv file has no header and holds 168 counts, then the number of the category or its name, separated by commas.
    """

    name: ClassVar[str]
    source: ClassVar[str]

    def files(self) -> Sequence[DataFile]:
        """Return the first of the three files that exists, or else the first."""
        known = [DataFile(self._stem, f"{self._stem}.{end}", "", self.source) for end in ("npz", "csv", "csv.gz")]
        return (next((file for file in known if file.find()), known[0]),)

    def load(self) -> Records:
        """Return the records; a UserError where there is no file, or it has another shape."""
        path = self.files()[0].fetch()
        try:
            x, y = _npz(path) if path.suffix == ".npz" else _csv(path)
        except (OSError, EOFError, KeyError, ValueError) as error:
            raise UserError(f"cannot be read: {error}", where=str(path)) from error
        _check(x, y, path)
        return place_records(self.name, x, y, Provenance(self.source, "not public; ask its authors"))

    @property
    def _stem(self) -> str:
        return self.name.replace("-", "_")


@dataclass(frozen=True)
class InstaNy(Insta):
    """Places in New York, 168 features (check-ins by hour of the week), 9 classes; read from a person's own file."""

    name: ClassVar[str] = "insta-ny"
    source: ClassVar[str] = "Backes, Humbert, Pang and Zhang 2017, walk2friends, Instagram check-ins in New York"


@dataclass(frozen=True)
class InstaLa(Insta):
    """Places in Los Angeles, 168 features (check-ins by hour of the week), 9 classes; read from a person's own file."""

    name: ClassVar[str] = "insta-la"
    source: ClassVar[str] = "Backes, Humbert, Pang and Zhang 2017, walk2friends, Instagram check-ins in Los Angeles"


def _npz(path: Path) -> Table:
    with np.load(path, allow_pickle=False) as arrays:
        numbers = arrays["y"].astype(np.float64)
        whole = np.isfinite(numbers) & (np.trunc(numbers) == numbers)
        for number in numbers[~whole][:1].tolist():
            raise UserError(f"y holds {number:g}, which is no whole number", where=str(path))
        return arrays["x"].astype(np.float64), numbers.astype(np.int64)


def _csv(path: Path) -> Table:
    counts, categories = [], []
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        for line, row in csv_rows(file, str(path)):
            if len(row) != HOURS + 1:
                raise UserError(
                    f"line {line}: must hold {HOURS} counts and a category, got {len(row)} values", str(path)
                )
            counts.append(row_of_numbers(row[:HOURS], line, str(path)))
            categories.append(_number(row[HOURS], line, path))
    return np.array(counts), np.array(categories, dtype=np.int64)


def _number(category: str, line: int, path: Path) -> int:
    if category in CATEGORIES:
        return CATEGORIES.index(category)
    try:
        return whole_number(category)
    except ValueError:
        known = f"a number from 0 to {len(CATEGORIES) - 1}, or one of {', '.join(CATEGORIES)}"
        raise UserError(f"line {line}: category {brief(category)} must be {known}", str(path)) from None


def _check(x: NDArray[np.float64], y: NDArray[np.int64], path: Path) -> None:
    if x.shape != (len(y), HOURS) or not len(y):
        raise UserError(f"must hold {HOURS} counts and a category per place, got shape {x.shape}", where=str(path))
    if not (np.isfinite(x) & (x >= 0)).all():
        raise UserError("holds counts that are negative or not finite", where=str(path))
    if not np.isin(y, np.arange(len(CATEGORIES))).all():
        raise UserError(f"holds categories other than 0 to {len(CATEGORIES) - 1}", where=str(path))
