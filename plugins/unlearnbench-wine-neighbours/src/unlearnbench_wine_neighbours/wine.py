"""Wine: chemical analyses, a small data set that travels with scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from unlearnbench import Dataset, Provenance, Records

PROVENANCE = Provenance(
    source="Aeberhard and Forina 1992, Wine, UCI Machine Learning Repository, doi:10.24432/C5PC7J",
    licence="CC-BY-4.0",
    note="as bundled with scikit-learn",
)


@dataclass(frozen=True)
class Wine(Dataset):
    """178 wines, 13 measurements, 3 growers. So small that episodes of 60 records are the most that fits."""

    def load(self) -> Records:
        """Return the records."""
        from sklearn.datasets import load_wine

        wine = load_wine()
        return Records(
            name="wine",
            x=np.ascontiguousarray(wine.data, dtype=np.float64),
            y=wine.target.astype(np.int64),
            n_classes=3,
            provenance=PROVENANCE,
            feature_names=tuple(wine.feature_names),
            class_names=tuple(map(str, wine.target_names)),
        )
