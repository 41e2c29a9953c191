"""Foursquare New York: what kind of place is it, from the hours of the week at which people check in."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.datasets.files import DataFile
from unlearnbench.core.cards import Whereabouts
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

FILE = DataFile(
    folder="foursquare_nyc",
    name="foursquare_nyc_168h.npz",
    sha256="3328e1bf47820bac7e901716fd53f72b3cdaf0c31848cc9eec2380567a7c6741",
    origin="the Foursquare data set TSMC2014-NYC",
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
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
PROVENANCE = Provenance(
    source="Yang, Zhang, Zheng and Yu 2015, Foursquare check-ins TSMC2014-NYC, the part of 193 users",
    licence="none stated",
    note="stands in for Insta-NY; a place is a pair of coordinates, those of two categories are left out. Models "
    "overfit it strongly (at 5 check-ins, random forest .30, majority .22): good for attacks, poor for utility",
)


@dataclass(frozen=True)
class FoursquareNyc(Dataset):
    """Places, 168 features (check-ins in each hour of the week, from Monday midnight on), 9 classes (root categories).

    ``min_checkins``: leave out places with fewer check-ins; 5 keeps 2,576 places, 2 keeps 6,954 (906 of them twins),
    and of the 15,197 that 1 keeps most are twins
    """

    min_checkins: PositiveInt = 5

    def whereabouts(self) -> Whereabouts:
        """Return where the file is, or how to get it."""
        return FILE.whereabouts()

    def load(self) -> Records:
        """Return the records; a UserError where the file is missing or no place has that many check-ins."""
        with np.load(io.BytesIO(FILE.read()), allow_pickle=False) as arrays:
            x, y = arrays["x"].astype(np.float64), arrays["y"].astype(np.int64)
        checkins = x.sum(axis=1)
        kept = checkins >= self.min_checkins
        if not kept.any():
            raise UserError(
                f"min_checkins {self.min_checkins} leaves no place; at most {checkins.max():.0f} leaves one"
            )
        return Records(
            name="foursquare-nyc",
            x=x[kept],
            y=y[kept],
            n_classes=len(CATEGORIES),
            provenance=PROVENANCE,
            feature_names=tuple(f"{day}-{hour:02}" for day in DAYS for hour in range(24)),
            class_names=CATEGORIES,
        )
