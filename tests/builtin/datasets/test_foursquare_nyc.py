from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from unlearnbench.builtin.datasets import foursquare_nyc
from unlearnbench.builtin.datasets.foursquare_nyc import CATEGORIES, FILE, FoursquareNyc
from unlearnbench.core.cards import card
from unlearnbench.core.errors import UserError

real = pytest.mark.skipif(FILE.find() is None, reason=f"UNLEARNBENCH_DATA has no {FILE.folder}/{FILE.name}")


@pytest.fixture
def three_places(stand_in: Callable[[ModuleType, bytes], None]) -> None:
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


@real
@pytest.mark.parametrize(("min_checkins", "rows", "twins"), [(1, 15_197, 9_149), (2, 6_954, 906), (5, 2_576, 4)])
def test_the_real_file_has_the_known_rows_and_twins(min_checkins: int, rows: int, twins: int) -> None:
    described = card(FoursquareNyc(min_checkins).load())
    assert (described.rows, described.features, described.twins) == (rows, 168, twins)


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
