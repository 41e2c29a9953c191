from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from unlearnbench.audit.columns import PARQUET_READERS, read_columns
from unlearnbench.core.errors import UserError

Make = Callable[..., dict[str, Any]]
Save = Callable[..., Path]


def failure(file: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_columns(file)
    told = str(caught.value)
    assert told.startswith(f"{file}: ")
    assert "\n" not in told
    return told.removeprefix(f"{file}: ")


def test_npz_and_csv_hold_the_same(arrays: Make, npz: Save, as_csv: Save) -> None:
    one, other = read_columns(npz(arrays())), read_columns(as_csv(arrays()))
    assert one.arrays.keys() == other.arrays.keys() == arrays().keys()
    for name in ("before", "after"):
        assert np.array_equal(one.arrays[name], other.arrays[name])
    assert list(map(str, one.arrays["label"])) == list(other.arrays["label"])


def test_a_row_is_called_by_its_line_in_text_and_by_its_number_elsewhere(arrays: Make, npz: Save, as_csv: Save) -> None:
    assert read_columns(as_csv(arrays())).row_name(0) == "line 2"
    assert read_columns(npz(arrays())).row_name(0) == "row 0"


def test_a_line_is_that_of_the_file_where_cells_hold_line_breaks(tmp_path: Path) -> None:
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
        ("role,role\na,b\n", "has more than one column role"),
        ("after_0\nNone\n", "line 2: after_0 must be a number, got 'None'"),
    ],
)
def test_a_table_that_is_none_is_refused(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text)
    assert failure(file) == told


def test_text_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"role\n\xff\n")
    assert "is not a CSV file in UTF-8" in failure(file)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    assert failure(tmp_path / "a.pkl") == "must end in .npz, .csv, .parquet"


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.parquet"])
def test_a_file_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    assert failure(tmp_path / name) == "cannot be read: No such file or directory"


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 but no archive")
    assert failure(tmp_path / "a.npz").startswith("cannot be read: ")


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_file_is_a_users_mistake_and_never_a_crash(seed: int, arrays: Make, tmp_path: Path) -> None:
    rng, file = np.random.default_rng(seed), tmp_path / "a.npz"
    np.savez_compressed(file, **arrays())
    whole = np.frombuffer(file.read_bytes(), dtype=np.uint8)
    told = 0
    for _ in range(200):
        damaged = whole.copy()
        damaged[rng.integers(len(whole), size=3)] = rng.integers(256, size=3)
        file.write_bytes(damaged.tobytes())
        try:
            read_columns(file)
        except UserError:
            told += 1
    assert told > 100


def test_a_member_that_is_no_array_is_no_column(arrays: Make, npz: Save) -> None:
    file = npz(arrays())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("record", "not an array")
    assert read_columns(file).arrays["record"].shape == ()


def test_a_single_array_under_the_name_of_several_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert failure(tmp_path / "a.npz") == "is one array; save several by name with numpy.savez"


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
            return (Path.touch, (tmp_path / "sprung",))  # type: ignore[return-value]  # pickle takes any callable

    np.savez(tmp_path / "a.npz", role=np.array([Trap()], dtype=object))
    assert failure(tmp_path / "a.npz").startswith("holds an array of neither numbers nor text")
    assert not (tmp_path / "sprung").exists()


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


def test_parquet_needs_a_library_that_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_readers(monkeypatch)
    (tmp_path / "a.parquet").touch()
    told = failure(tmp_path / "a.parquet")
    assert told == "reading Parquet needs one of pyarrow, polars, pandas; install one, or save CSV"


@pytest.mark.parametrize("name", PARQUET_READERS)
def test_any_of_the_libraries_will_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(role=Column(["unseen"]), before_1=Column([0.75]), before_0=Column([0.25]))
    without_readers(monkeypatch)
    library = fake(name, read_parquet=lambda file: table)
    monkeypatch.setitem(sys.modules, name, library)
    if name == "pyarrow":
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", fake("pyarrow.parquet", read_table=lambda file: table))
    (tmp_path / "a.parquet").touch()
    columns = read_columns(tmp_path / "a.parquet")
    assert columns.arrays["before"].tolist() == [[0.25, 0.75]]
    assert columns.arrays["role"].tolist() == ["unseen"]


def test_what_a_library_cannot_read_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: Path) -> object:
        raise RuntimeError("no\nmagic")

    without_readers(monkeypatch)
    monkeypatch.setitem(sys.modules, "polars", fake("polars", read_parquet=fail))
    (tmp_path / "a.parquet").touch()
    assert failure(tmp_path / "a.parquet") == "cannot be read: RuntimeError: no magic"
