from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import numpy as np
import pytest

from unlearnbench.builtin.datasets import foursquare_nyc
from unlearnbench.builtin.datasets.foursquare_nyc import CHECKINS, FILE, FoursquareNyc, Part, places
from unlearnbench.builtin.datasets.hours import CATEGORIES
from unlearnbench.core.dataset_cards import card
from unlearnbench.core.errors import UserError

real = pytest.mark.skipif(FILE.find() is None, reason=f"UNLEARNBENCH_DATA has no {FILE.folder}/{FILE.name}")


@pytest.fixture
def three_places(stand_in: Callable[..., None]) -> None:
    """Places with 1, 2 and 6 check-ins, all on Tuesday at 3."""
    x = np.zeros((3, 168), dtype=np.uint16)
    x[:, 27] = [1, 2, 6]
    content = io.BytesIO()
    np.savez_compressed(content, x=x, y=np.array([2, 8, 0], dtype=np.uint8))
    stand_in(foursquare_nyc, content.getvalue())


@pytest.mark.usefixtures("three_places")
@pytest.mark.parametrize(("min_checkins", "labels"), [(1, [2, 8, 0]), (2, [8, 0]), (3, [0]), (6, [0])])
def test_places_with_fewer_check_ins_are_left_out(min_checkins: int, labels: list[int]) -> None:
    records = FoursquareNyc(min_checkins).load()
    assert records.y.tolist() == labels
    assert (records.x.sum(axis=1) >= min_checkins).all()
    assert records.n_classes == 9


@pytest.mark.usefixtures("three_places")
def test_features_are_named_by_day_and_hour() -> None:
    records = FoursquareNyc().load()
    assert records.feature_names[int(records.x[0].argmax())] == "tuesday-03"


@pytest.mark.usefixtures("three_places")
def test_more_check_ins_than_any_place_has_is_a_user_error() -> None:
    with pytest.raises(UserError, match="min_checkins 7 leaves no place; at most 6 leaves one"):
        FoursquareNyc(min_checkins=7).load()


CHECKED_IN = """\
venue,user,lat,lon,day,hour,category,tid
1,6,40.8,-74.1,1,3,0,127
2,6,40.8,-74.10,1,3,0,127
3,7,40.7,-73.9,6,23,8,128
4,7,40.7,-74.2,0,0,9,129
5,7,40.9,-73.9,0,0,1,130
6,8,40.9,-73.9,0,1,2,131
"""


def test_check_ins_at_the_same_coordinates_are_one_place_and_events_and_mixed_places_are_left_out() -> None:
    x, y, longitude = places(io.BytesIO(CHECKED_IN.encode()))
    assert [(row.argmax(), row.sum()) for row in x] == [(6 * 24 + 23, 1), (24 + 3, 2)]
    assert [CATEGORIES[label] for label in y] == ["Nightlife Spot", "Food"]
    assert longitude.tolist() == [-73.9, -74.1]


@pytest.mark.parametrize(("part", "category"), [("west", "Food"), ("east", "Nightlife Spot")])
def test_a_part_holds_the_places_on_its_side_and_says_so(
    stand_in: Callable[..., None], part: Part, category: str
) -> None:
    stand_in(foursquare_nyc, gzip.compress(CHECKED_IN.encode()), "CHECKINS")
    records = FoursquareNyc(min_checkins=1, part=part).load()
    assert [records.class_names[label] for label in records.y] == [category]
    assert f"to the {part} of longitude -73.982" in records.provenance.note


with_checkins = pytest.mark.skipif(
    CHECKINS.find() is None, reason=f"UNLEARNBENCH_DATA has no {CHECKINS.folder}/{CHECKINS.name}"
)


@real
@with_checkins
def test_the_real_counts_are_those_of_the_real_check_ins() -> None:
    with CHECKINS.open() as file, gzip.open(file) as table:
        x, y, _ = places(table)
    records = FoursquareNyc(min_checkins=1).load()
    np.testing.assert_array_equal(records.x, x)
    np.testing.assert_array_equal(records.y, y)


@with_checkins
@pytest.mark.parametrize(("part", "rows"), [("west", 1_192), ("east", 1_384)])
def test_the_real_parts_are_halves_that_hold_all_classes(part: Part, rows: int) -> None:
    described = card(FoursquareNyc(part=part).load())
    assert described.rows == rows
    assert min(count for _, count in described.classes) >= 38


@real
@pytest.mark.parametrize(("min_checkins", "rows", "duplicates"), [(1, 15_197, 9_149), (2, 6_954, 906), (5, 2_576, 4)])
def test_the_real_file_has_the_known_rows_and_duplicates(min_checkins: int, rows: int, duplicates: int) -> None:
    described = card(FoursquareNyc(min_checkins).load())
    assert (described.rows, described.features, described.duplicates) == (rows, 168, duplicates)


@real
def test_the_real_classes_have_the_known_counts_at_five_check_ins() -> None:
    counts = [90, 103, 565, 122, 232, 357, 234, 503, 370]
    assert card(FoursquareNyc().load()).classes == tuple(zip(CATEGORIES, counts, strict=True))


@real
def test_the_real_classes_are_those_of_the_check_ins_they_come_from() -> None:
    """Night life happens at night and colleges close on Sundays, which tells labels that are mixed up."""
    records = FoursquareNyc().load()
    totals = np.array([records.x[records.y == label].sum(axis=0) for label in range(9)]).reshape(9, 7, 24)
    by_hour, by_day = totals.sum(axis=1), totals.sum(axis=2)
    at_night = by_hour[:, [22, 23, 0, 1, 2, 3]].sum(axis=1) / by_hour.sum(axis=1)
    on_sunday = by_day[:, 6] / by_day.sum(axis=1)
    assert CATEGORIES[int(at_night.argmax())] == "Nightlife Spot"
    assert CATEGORIES[int(on_sunday.argmin())] == "College & University"
