"""CSV and Parquet: a matrix is a column for each class."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from unlearnbench.audit.files import read_columns
from unlearnbench.audit.tables import PARQUET_READERS

Make = Callable[..., dict[str, Any]]
Save = Callable[..., Path]
Failure = Callable[[Path], str]

MAGIC = b"PAR1"


def test_npz_and_csv_hold_the_same(arrays: Make, npz: Save, as_csv: Save) -> None:
    one, other = read_columns(npz(arrays())), read_columns(as_csv(arrays()))
    assert one.arrays.keys() == other.arrays.keys() == arrays().keys()
    for name in ("before", "after"):
        assert np.array_equal(one.arrays[name], other.arrays[name])
    assert list(map(str, one.arrays["label"])) == list(other.arrays["label"])


def test_a_row_is_called_by_its_line_in_text_and_by_its_number_elsewhere(arrays: Make, npz: Save, as_csv: Save) -> None:
    assert read_columns(as_csv(arrays())).row_name(0) == "line 2"
    assert read_columns(npz(arrays())).row_name(0) == "row 0"


def test_a_line_is_that_of_the_file_where_cells_hold_line_breaks(tmp_path: Path, failure: Failure) -> None:
    file = tmp_path / "a.csv"
    file.write_text('role,before_0\n"for\ngotten",1\nunseen,x\n')
    assert failure(file) == "line 4: before_0 must be a number, got 'x'"


def test_the_columns_of_classes_are_ordered_by_their_number(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    numbers = [10, 2, *range(2), *range(3, 10)]
    file.write_text(f"{','.join(f'before_{n}' for n in numbers)}\n{','.join(map(str, numbers))}\n")
    assert read_columns(file).arrays["before"].tolist() == [list(range(11))]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("role,before_0\nunseen\n", "line 2: has 1 values, the header 2 names"),
        ("before_0,before_2\n1,0\n", "has columns before_0 to before_2, which must count from 0 on, each once"),
        ("before_1,before_2\n1,0\n", "has columns before_1 to before_2, which must count from 0 on, each once"),
        (
            "before,before_0\n1,0\n",
            "has a column before; in a table there is one for each class: before_0, before_1, ...",
        ),
        ("role,role\na,b\n", "has more than one column 'role'"),
        ("after_0\nNone\n", "line 2: after_0 must be a number, got 'None'"),
        ('after_0\n"0,5"\n', "line 2: after_0 must be a number, got '0,5'; decimals are written with a point"),
        ("role;after_0\nunseen;0,5\n", "its values are separated by semicolons; separate them by commas"),
        ("role\tafter_0\nunseen\t0.5\n", "its values are separated by tabs; separate them by commas"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, told: str, tmp_path: Path, failure: Failure) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    assert failure(file) == told


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path, failure: Failure) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"role\n\xff\n")
    assert failure(file) == "is not text in UTF-8; save it as CSV in UTF-8"


class Table(dict[str, Any]):
    """What all three libraries return, as far as it is used."""

    @property
    def columns(self) -> list[str]:
        return list(self)


class Column(list[Any]):
    def to_numpy(self) -> np.ndarray[Any, Any]:
        return np.array(self)


def fake(name: str, **functions: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(functions)
    return module


def without_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PARQUET_READERS, "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def parquet(tmp_path: Path) -> Path:
    (tmp_path / "a.parquet").write_bytes(MAGIC)
    return tmp_path / "a.parquet"


def test_parquet_needs_a_library_that_reads_it(
    parquet: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_readers(monkeypatch)
    assert failure(parquet) == "reading Parquet needs one of pyarrow, polars, pandas; install one, or save CSV"


@pytest.mark.parametrize("name", PARQUET_READERS)
def test_any_of_the_libraries_will_do(name: str, parquet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(role=Column(["unseen"]), before_1=Column([0.75]), before_0=Column([0.25]))
    without_readers(monkeypatch)
    library = fake(name, read_parquet=lambda file: table)
    monkeypatch.setitem(sys.modules, name, library)
    if name == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", fake("pyarrow.parquet", read_table=lambda file: table))
    columns = read_columns(parquet)
    assert columns.arrays["before"].tolist() == [[0.25, 0.75]]
    assert columns.arrays["role"].tolist() == ["unseen"]


def test_what_a_library_cannot_read_is_told_in_one_line(
    parquet: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: Path) -> object:
        raise RuntimeError("no\nmagic")

    without_readers(monkeypatch)
    monkeypatch.setitem(sys.modules, "polars", fake("polars", read_parquet=fail))
    assert failure(parquet) == "cannot be read: RuntimeError: no magic"


def test_a_value_of_parquet_that_is_no_number_is_told_by_its_row(
    parquet: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(before_0=Column(["0.25", "x"]), before_1=Column([0.75, 0.5]))
    without_readers(monkeypatch)
    monkeypatch.setitem(sys.modules, "polars", fake("polars", read_parquet=lambda file: table))
    assert failure(parquet) == "row 1: before_0 must be a number, got 'x'"
