"""Adult: does a person of the 1994 US census earn more than 50,000 dollars a year. Part of the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unlearnbench.builtin.datasets.files import open_verified
from unlearnbench.core.dataset_cards import Availability
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.records import Provenance, Records

FILE = Path(__file__).with_name("adult.npz")
SHA256 = "159f4daa95e4af5084467891d94c2daae795955337149193841b98de60d3c364"
FEATURES = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
)
PROVENANCE = Provenance(
    source="Becker and Kohavi 1996, Adult, UCI Machine Learning Repository, doi:10.24432/C5XW20",
    licence="CC-BY-4.0",
    note="training and test file joined, records with a missing value left out, rows shuffled; "
    "categorical values are numbered in alphabetical order; built by benchmarks/data/build_adult.py",
)


@dataclass(frozen=True)
class Adult(Dataset):
    """45,222 persons, 14 features, 2 classes (earns at most 50,000 dollars or more).

    Categorical features are label-encoded alphabetically and numeric ones are unchanged, as in the experiments of Chen
    et al. (CCS 2021). One of them is ``fnlwgt``, a census weight that carries little information about a person.
    """

    def availability(self) -> Availability:
        """Return that it is part of the package."""
        return Availability(True, "in the package", "package")

    def load(self) -> Records:
        """Return the records; a UserError where the file in the package was changed."""
        with open_verified(FILE, SHA256) as file, np.load(file, allow_pickle=False) as columns:
            return Records(
                name="adult",
                x=np.column_stack([columns[name] for name in FEATURES]).astype(np.float64),
                y=columns["salary"].astype(np.int64),
                n_classes=2,
                provenance=PROVENANCE,
                feature_names=FEATURES,
                class_names=tuple(columns["salary.values"].tolist()),
            )
