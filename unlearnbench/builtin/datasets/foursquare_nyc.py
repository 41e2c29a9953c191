"""Foursquare New York: the category of a place, from the hours of the week at which people check in."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.builtin.datasets.files import DataFile, FileDataset
from unlearnbench.builtin.datasets.hours import CATEGORIES, HOURS, place_records
from unlearnbench.core.csv_rows import csv_rows
from unlearnbench.core.errors import UserError
from unlearnbench.core.records import Provenance, Records

FILE = DataFile(
    folder="foursquare_nyc",
    name="foursquare_nyc_168h.npz",
    sha256="3328e1bf47820bac7e901716fd53f72b3cdaf0c31848cc9eec2380567a7c6741",
    origin="the Foursquare data set TSMC2014-NYC",
)
CHECKINS = DataFile(
    folder="foursquare_nyc",
    name="checkins.csv.gz",
    sha256="0bab7ffd160ba82b6177eed2bb68fa1be7ace2251c6181b2feeaff441dc47ffe",
    origin="the Foursquare data set TSMC2014-NYC",
)
CODES = (  # by the number of the category in the check-ins; events, the last, are not places
    "Food",
    "Travel & Transport",
    "Residence",
    "Professional & Other Places",
    "Shop & Service",
    "Outdoors & Recreation",
    "College & University",
    "Arts & Entertainment",
    "Nightlife Spot",
    "Event",
)
MERIDIAN = -73.982
"""The longitude that splits the places in two halves; west are New Jersey, Staten Island and southwest Manhattan."""
PROVENANCE = Provenance(
    source="Yang, Zhang, Zheng and Yu 2015, Foursquare check-ins TSMC2014-NYC, the part of 193 users",
    licence="none stated",
    note="stands in for Insta-NY; a place is a pair of coordinates, those of two categories are left out. Models "
    "overfit it strongly (at 5 check-ins, random forest .30, majority .22): good for attacks, poor for utility",
)

Part = Literal["all", "west", "east"]
Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class FoursquareNyc(FileDataset):
    """Places, 168 features (check-ins in each hour of the week, from Monday midnight on), 9 classes (root categories).

    ``min_checkins``: leave out places with fewer check-ins; 5 keeps 2,576 places, 2 keeps 6,954 (906 duplicates),
    and of the 15,197 that 1 keeps most are duplicates

    ``part``: all places, or those to the west or to the east of longitude -73.982; the halves replace two cities in
    experiments whose shadow data set differs from the target data set
    """

    min_checkins: PositiveInt = 5
    part: Part = "all"

    def files(self) -> Sequence[DataFile]:
        """Return the file of counts, or that of check-ins, which contains longitudes."""
        return (FILE if self.part == "all" else CHECKINS,)

    def load(self) -> Records:
        """Return the records; a UserError where the file is missing or no place has that many check-ins."""
        x, y = _counts() if self.part == "all" else _part(self.part)
        checkins = x.sum(axis=1)
        kept = checkins >= self.min_checkins
        if not kept.any():
            raise UserError(f"min_checkins {self.min_checkins} leaves no place; at most {checkins.max()} leaves one")
        note = "" if self.part == "all" else f"the places to the {self.part} of longitude {MERIDIAN}; "
        return place_records("foursquare-nyc", x[kept], y[kept], replace(PROVENANCE, note=note + PROVENANCE.note))


def _counts() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    with FILE.open() as file, np.load(file, allow_pickle=False) as arrays:
        return arrays["x"].astype(np.int64), arrays["y"].astype(np.int64)


def _part(part: Part) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    with CHECKINS.open() as file, gzip.open(file) as table:
        x, y, longitude = places(table)
    inside = (longitude < MERIDIAN) if part == "west" else (longitude >= MERIDIAN)
    return x[inside], y[inside]


def places(table: IO[bytes] | gzip.GzipFile) -> Places:
    """Gather check-ins, a CSV with lat, lon, day, hour and category, into places in the order of their coordinates.

    Return check-ins by hour of the week (n, 168), category numbers (n,) and longitudes (n,). Events and places whose
    check-ins are of two categories are left out.
    """
    counts: dict[tuple[float, float], NDArray[np.int64]] = {}
    kinds: dict[tuple[float, float], set[str]] = {}
    rows = csv_rows(table, CHECKINS.name)
    _, names = next(rows)
    for _, cells in rows:
        row = dict(zip(names, cells, strict=True))
        place = float(row["lat"]), float(row["lon"])
        hours = counts.setdefault(place, np.zeros(HOURS, dtype=np.int64))
        hours[24 * int(row["day"]) + int(row["hour"])] += 1
        kinds.setdefault(place, set()).add(CODES[int(row["category"])])
    labels = {place: CATEGORIES.index(kind) for place, (kind, *more) in kinds.items() if not more and kind != "Event"}
    kept = sorted(labels)
    return np.array([counts[p] for p in kept]), np.array([labels[p] for p in kept]), np.array([p[1] for p in kept])
