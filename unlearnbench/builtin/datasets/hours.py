"""Common parts of check-in data sets: 168 hours of a week as features, 9 categories of places as classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.records import Provenance, Records

HOURS = 7 * 24
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FEATURES = tuple(f"{day}-{hour:02}" for day in DAYS for hour in range(24))
CATEGORIES = (
    "Arts & Entertainment",
    "College & University",
    "Food",
    "Nightlife Spot",
    "Outdoors & Recreation",
    "Professional & Other Places",
    "Residence",
    "Shop & Service",
    "Travel & Transport",
)
"""The root categories of Foursquare, in the order of their class numbers."""


def place_records(name: str, x: NDArray[np.generic], y: NDArray[np.generic], provenance: Provenance) -> Records:
    """Return places as records: check-ins by hour of the week ``x`` (n, 168), categories ``y`` (n,) as numbers."""
    return Records(
        name=name,
        x=x.astype(np.float64),
        y=y.astype(np.int64),
        n_classes=len(CATEGORIES),
        provenance=provenance,
        feature_names=FEATURES,
        class_names=CATEGORIES,
    )
