"""Location-30: which of 30 kinds of mobility does a person's profile show. A standard set for membership inference."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from unlearnbench.builtin.datasets.files import DataFile
from unlearnbench.core.cards import Whereabouts
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.records import Provenance, Records

FILE = DataFile(
    folder="location30",
    name="location30.npz",
    sha256="bd8d6120a220048d8fce4450b97f2cf6fbe7a31b5f7bdad2d6199c4885180c05",
    origin="dataset_location.tgz in the repository privacytrustlab/datasets",
)
PROVENANCE = Provenance(
    source="Shokri, Stronati, Song and Shmatikov 2017, the location data set, privacytrustlab/datasets",
    licence="none stated",
    note="made by its authors from Foursquare check-ins in Bangkok; the classes are clusters of profiles",
)


@dataclass(frozen=True)
class Location30(Dataset):
    """5,010 mobility profiles, 446 features (was the person at this place or kind of place, 0 or 1), 30 classes."""

    def whereabouts(self) -> Whereabouts:
        """Return where the file is, or how to get it."""
        return FILE.whereabouts()

    def load(self) -> Records:
        """Return the records; a UserError where the file is missing."""
        with np.load(io.BytesIO(FILE.read()), allow_pickle=False) as arrays:
            bits = np.unpackbits(arrays["x_packed"], axis=1, count=int(arrays["n_features"]))
            y = arrays["y"].astype(np.int64)
        return Records("location30", bits.astype(np.float64), y, n_classes=30, provenance=PROVENANCE)
