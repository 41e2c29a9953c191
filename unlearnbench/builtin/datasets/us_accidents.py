"""US accidents: the effect of an accident on traffic, from weather and road."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.core.csv_rows import csv_rows, row_of_numbers
from unlearnbench.core.records import Provenance, Records

FILE = DataFile(
    folder="us_accidents",
    name="us_accidents_sample_42k.csv.gz",
    sha256="90dc0d354611e6dfb49daa5672305ab9ce240ef1e1591331aeced5cb879a7cac",
    origin="the Kaggle data set sobhanmoosavi/us-accidents",
)
LABEL = "Severity"
NOT_A_FEATURE = "row_in_full"  # number of the row in the full table
PROVENANCE = Provenance(
    source="Moosavi, Samavatian, Parthasarathy and Ramnath 2019, US-Accidents, a sample of 42,273 rows",
    licence="CC-BY-NC-SA-4.0",
    note="the label is the effect on traffic",
)


@dataclass(frozen=True)
class UsAccidents(FileDataset):
    """42,273 accidents, 20 features (weather, road signs and the like), 2 or 4 classes.

    ``severities``: 4 keeps the severities 1 to 4, of which 1 and 4 are rare (18 and 140 accidents); 2 has the classes
    "up to 2" and "3 or more"
    """

    severities: Literal[2, 4] = 2

    def files(self) -> Sequence[DataFile]:
        """Return the file."""
        return (FILE,)

    def load(self) -> Records:
        """Return the records; a UserError where the file is missing."""
        with FILE.open() as file, gzip.open(file) as content:
            rows = csv_rows(content, FILE.name)
            _, names = next(rows)
            table = np.array([row_of_numbers(row, line, FILE.name, names) for line, row in rows])
        # Adding zero turns -0 into 0: duplicates are found by their bytes, and -0 degrees equals 0 degrees.
        table += 0.0
        severity = table[:, names.index(LABEL)].astype(np.int64)
        features = [i for i, name in enumerate(names) if name not in (LABEL, NOT_A_FEATURE)]
        return Records(
            name="us-accidents",
            x=np.ascontiguousarray(table[:, features]),
            y=(severity >= 3).astype(np.int64) if self.severities == 2 else severity - 1,
            n_classes=self.severities,
            provenance=PROVENANCE,
            feature_names=tuple(names[i] for i in features),
            class_names=("<=2", ">=3") if self.severities == 2 else ("1", "2", "3", "4"),
        )
