from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from unlearnbench.builtin.datasets import us_accidents
from unlearnbench.builtin.datasets.us_accidents import FILE, UsAccidents
from unlearnbench.core.dataset_cards import card

real = pytest.mark.skipif(FILE.find() is None, reason=f"UNLEARNBENCH_DATA has no {FILE.folder}/{FILE.name}")
TABLE = """\
row_in_full,TMC,Severity,Temperature(F)
11,201.0,1,84.5
12,201.0,2,-0.0
13,201.0,3,0.0
14,202.0,4,7.0
"""


@pytest.fixture
def four_accidents(stand_in: Callable[..., None]) -> None:
    stand_in(us_accidents, gzip.compress(TABLE.encode()))


@pytest.mark.usefixtures("four_accidents")
@pytest.mark.parametrize(("severities", "labels"), [(2, [0, 0, 1, 1]), (4, [0, 1, 2, 3])])
def test_severities_are_kept_or_merged(severities: Literal[2, 4], labels: list[int]) -> None:
    records = UsAccidents(severities).load()
    assert records.y.tolist() == labels
    assert records.n_classes == len(records.class_names) == severities


@pytest.mark.usefixtures("four_accidents")
def test_neither_the_label_nor_the_row_number_is_a_feature() -> None:
    records = UsAccidents().load()
    assert records.feature_names == ("TMC", "Temperature(F)")
    assert records.x[0].tolist() == [201.0, 84.5]


@pytest.mark.usefixtures("four_accidents")
def test_records_that_differ_in_the_sign_of_zero_only_are_duplicates() -> None:
    assert UsAccidents().load().has_duplicate.tolist() == [False, True, True, False]


@real
def test_the_real_file_has_the_known_rows_and_duplicates() -> None:
    described = card(UsAccidents().load())
    assert (described.rows, described.features, described.duplicates) == (42_273, 20, 473)
    assert described.classes == (("<=2", 27_973), (">=3", 14_300))


@real
def test_the_real_file_has_the_known_severities() -> None:
    records = UsAccidents(severities=4).load()
    assert np.bincount(records.y).tolist() == [18, 27_955, 14_160, 140]
