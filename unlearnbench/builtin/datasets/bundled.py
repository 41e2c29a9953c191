"""Data sets that are part of scikit-learn."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.dataset_cards import Availability
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

AVAILABILITY = Availability(True, "in scikit-learn", "package")


class Bunch(Protocol):
    """What scikit-learn's ``load_*`` functions return."""

    data: NDArray[np.float64]
    target: NDArray[np.int64]
    feature_names: list[str]
    target_names: NDArray[np.generic]


def records(name: str, bunch: Bunch, provenance: Provenance, sha256: str) -> Records:
    """Return a bundled data set as records; a UserError where scikit-learn's data do not have this ``sha256``."""
    found = Records(
        name=name,
        x=np.ascontiguousarray(bunch.data, dtype=np.float64),
        y=np.asarray(bunch.target, dtype=np.int64),
        n_classes=len(bunch.target_names),
        provenance=provenance,
        feature_names=tuple(str(feature) for feature in bunch.feature_names),
        class_names=tuple(str(label) for label in bunch.target_names),
    )
    if found.sha256 != sha256:
        raise UserError(
            f"this scikit-learn holds other records: expected sha256 {sha256}, found {found.sha256}", where=name
        )
    return found
