"""Breast cancer: is a tumour malignant or benign. Small and easy."""

from __future__ import annotations

from dataclasses import dataclass

from unlearnbench.builtin.datasets import bundled
from unlearnbench.core.dataset_cards import Availability
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.records import Provenance, Records

SHA256 = "825a9833b644fbd85a474b602ee1c22c9b74dc270b71c44503a30a61db2b82f3"
PROVENANCE = Provenance(
    source="Wolberg, Mangasarian, Street and Street 1993, Breast Cancer Wisconsin (Diagnostic), "
    "UCI Machine Learning Repository, doi:10.24432/C5DW2B",
    licence="CC-BY-4.0",
    note="as bundled with scikit-learn",
)


@dataclass(frozen=True)
class BreastCancer(Dataset):
    """569 tumours, 30 features measured on cell nuclei, 2 classes (malignant, benign)."""

    def availability(self) -> Availability:
        """Return that it is part of scikit-learn."""
        return bundled.AVAILABILITY

    def load(self) -> Records:
        """Return the records."""
        from sklearn.datasets import load_breast_cancer

        return bundled.records("breast-cancer", load_breast_cancer(), PROVENANCE, SHA256)
