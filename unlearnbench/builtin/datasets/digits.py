"""Digits: handwritten digits of 8 x 8 pixels. Small enough for tests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unlearnbench.builtin.datasets import bundled
from unlearnbench.core.dataset_cards import Availability
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.records import Provenance, Records

SHA256 = "c278ce1d8be8ffffcf83ba40979d4249b3e2b780c4597460e933f79d54086a5c"
PROVENANCE = Provenance(
    source="Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits (test part), "
    "UCI Machine Learning Repository, doi:10.24432/C50P49",
    licence="CC-BY-4.0",
    note="as bundled with scikit-learn",
)


@dataclass(frozen=True)
class Digits(Dataset):
    """1,797 images, 64 features (grey levels 0 to 16, row by row), 10 classes."""

    def availability(self) -> Availability:
        """Return that it is part of scikit-learn."""
        return bundled.AVAILABILITY

    def load(self) -> Records:
        """Return the records."""
        from sklearn.datasets import load_digits

        return replace(bundled.records("digits", load_digits(), PROVENANCE, SHA256), bounds=(0, 16))
