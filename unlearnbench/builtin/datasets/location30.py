"""Location-30: mobility profiles in 30 clusters, a common data set for membership inference."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.core.csv_rows import csv_rows, row_of_numbers
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

ORIGIN = "dataset_location.tgz in the repository privacytrustlab/datasets"
PACKED = DataFile(
    folder="location30",
    name="location30.npz",
    sha256="bd8d6120a220048d8fce4450b97f2cf6fbe7a31b5f7bdad2d6199c4885180c05",
    origin=ORIGIN,
)
"""The same records with one bit per feature; used if it exists."""
ARCHIVE = DataFile(
    folder="location30",
    name="dataset_location.tgz",
    sha256="927203f85a868f8e",
    origin=ORIGIN,
    url="https://raw.githubusercontent.com/privacytrustlab/datasets/master/dataset_location.tgz",
)
TABLE = "bangkok"  # without header, one profile per line: class, from 1, then the features
SHA256 = "7c39c7531fa8aeec23f6297c12654a6c51b5e34941ab8fab85681dbb2e377d03"
"""Of the records, whichever file they are read from."""
PROVENANCE = Provenance(
    source="Shokri, Stronati, Song and Shmatikov 2017, the location data set, privacytrustlab/datasets",
    licence="none stated",
    note="made by its authors from Foursquare check-ins in Bangkok; the classes are clusters of profiles",
)


@dataclass(frozen=True)
class Location30(FileDataset):
    """5,010 mobility profiles, 446 features (was the person at this place or kind of place, 0 or 1), 30 classes."""

    def files(self) -> Sequence[DataFile]:
        """Return the packed file if it exists, else the published archive."""
        return (PACKED,) if PACKED.find() else (ARCHIVE,)

    def load(self) -> Records:
        """Return the records; a UserError where the file is missing or holds others."""
        x, y = _packed() if PACKED.find() else _published()
        records = Records("location30", x.astype(np.float64), y.astype(np.int64), n_classes=30, provenance=PROVENANCE)
        if records.sha256 != SHA256:
            raise UserError(f"other records than expected: sha256 {records.sha256}, not {SHA256}", where="location30")
        return records


def _packed() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with PACKED.open() as file, np.load(file, allow_pickle=False) as arrays:
        return np.unpackbits(arrays["x_packed"], axis=1, count=int(arrays["n_features"])), arrays["y"]


def _published() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with ARCHIVE.open() as file, tarfile.open(fileobj=file, mode="r:gz") as archive:
        member = next((m for m in archive if m.isfile() and m.name.rpartition("/")[2] == TABLE), None)
        content = archive.extractfile(member) if member else None
        if content is None:
            raise UserError(f"holds no file {TABLE}", where=ARCHIVE.name)
        table = np.array([row_of_numbers(row, line, TABLE) for line, row in csv_rows(content, TABLE)], dtype=np.uint8)
    return table[:, 1:], table[:, 0] - 1
