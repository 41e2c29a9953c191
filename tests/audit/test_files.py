"""A file of another kind is told what it is and what would be right."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unlearnbench.audit.files import read_columns

Make = Callable[..., dict[str, Any]]
Save = Callable[..., Path]
Failure = Callable[[Path], str]

TEXT = b"role,before_0,after_0\nunseen,1,1\n"


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return content.getvalue()


def one_array() -> bytes:
    content = io.BytesIO()
    np.save(content, np.zeros(3))
    return content.getvalue()


WRONG: dict[str, tuple[str, bytes, str]] = {
    "an archive called csv": (
        "a.csv",
        zipped("before.npy"),
        "is a zip archive of arrays (.npz), not a .csv file; let its name end in .npz",
    ),
    "a table called npz": ("a.npz", TEXT, "is not a zip archive of arrays (.npz); name a table of text .csv"),
    "a table called parquet": ("a.parquet", TEXT, "is not a Parquet file; name a table of text .csv"),
    "parquet called csv": ("a.csv", b"PAR1", "is a Parquet file, not a .csv file; let its name end in .parquet"),
    "a workbook called csv": (
        "a.csv",
        zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"),
        "is an Excel workbook; save it as CSV in UTF-8",
    ),
    "a checkpoint called npz": (
        "a.npz",
        zipped("archive/data.pkl", "archive/data/0"),
        "is a checkpoint of PyTorch; save answers, not models, with numpy.savez",
    ),
    "an empty archive": (
        "a.npz",
        zipped(),
        "is a zip archive, but of nothing known; save arrays by name with numpy.savez",
    ),
    "an empty file": ("a.npz", b"", "is not a zip archive of arrays (.npz), but empty"),
}


@pytest.mark.parametrize(("name", "content", "told"), WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_not_what_its_name_says_is_told_what_it_is(
    name: str, content: bytes, told: str, tmp_path: Path, failure: Failure
) -> None:
    (tmp_path / name).write_bytes(content)
    assert failure(tmp_path / name) == told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.npy", one_array(), "is one array (.npy); save several by name with numpy.savez"),
        ("a.npz", one_array(), "is one array (.npy); save several by name with numpy.savez"),
        ("a.csv.gz", gzip.compress(TEXT, mtime=0), "is compressed by gzip; decompress it"),
        ("a.csv", gzip.compress(TEXT, mtime=0), "is compressed by gzip; decompress it"),
        ("a.csv", bz2.compress(TEXT), "is compressed by bzip2; decompress it"),
        ("a.csv", lzma.compress(TEXT), "is compressed by xz; decompress it"),
        ("a.pkl", pickle.dumps([1]), "is a pickle, which may run code when it is read; save arrays with numpy.savez"),
        ("a.npz", pickle.dumps([1]), "is a pickle, which may run code when it is read; save arrays with numpy.savez"),
        ("a.json", b'{"role": []}', "is JSON; save a table as CSV"),
        ("a.csv", b"[1]", "is JSON; save a table as CSV"),
        ("a.csv", b"<table>", "is HTML or XML; save a table as CSV"),
        ("a.h5", b"\x89HDF\r\n", "is an HDF5 file; save its arrays with numpy.savez"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "is an Excel workbook; save it as CSV in UTF-8"),
    ],
)
def test_other_kinds_are_told_what_to_do(
    name: str, content: bytes, told: str, tmp_path: Path, failure: Failure
) -> None:
    (tmp_path / name).write_bytes(content)
    assert failure(tmp_path / name) == told


def test_a_table_under_another_ending_is_told_the_endings(tmp_path: Path, failure: Failure) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT)
    assert failure(tmp_path / "a.txt") == "must end in .npz, .csv, .parquet"


def test_capitals_in_an_ending_do_not_matter(arrays: Make, npz: Save) -> None:
    file = npz(arrays())
    assert read_columns(file.rename(file.with_name("A.NPZ"))).arrays.keys() == arrays().keys()


@pytest.mark.parametrize("name", ["a.npz", "a.csv", "a.parquet", "a.txt"])
def test_a_file_that_is_not_there_is_told(name: str, tmp_path: Path, failure: Failure) -> None:
    assert failure(tmp_path / name) == "cannot be read: No such file or directory"


def test_a_folder_is_told(tmp_path: Path, failure: Failure) -> None:
    (tmp_path / "a.npz").mkdir()
    assert failure(tmp_path / "a.npz") == "cannot be read: Is a directory"


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path, failure: Failure) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 but no archive")
    assert failure(tmp_path / "a.npz").startswith("cannot be read: ")
