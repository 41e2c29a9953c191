from __future__ import annotations

import gzip
import io
from codecs import BOM_UTF8
from pathlib import Path

import numpy as np
import pytest

from unlearnbench.builtin.datasets.hours import CATEGORIES
from unlearnbench.builtin.datasets.insta import InstaLa, InstaNy
from unlearnbench.core.errors import UserError

COUNTS = np.arange(2 * 168).reshape(2, 168)


def csv(*categories: str, counts: np.ndarray = COUNTS) -> bytes:
    lines = [",".join([*map(str, row), category]) for row, category in zip(counts, categories, strict=True)]
    return ("\n".join(lines) + "\n").encode()


def npz(x: np.ndarray, y: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.savez(content, x=x, y=y)
    return content.getvalue()


def put(roots: tuple[Path, Path], name: str, content: bytes) -> None:
    (roots[0] / "insta_ny").mkdir(parents=True)
    (roots[0] / "insta_ny" / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("insta_ny.csv", csv("8", "2")),
        ("insta_ny.csv", csv('"Travel & Transport"', " Food")),
        ("insta_ny.csv", csv("8.0", "2.")),
        ("insta_ny.csv", csv(' "8"', "2 ")),
        ("insta_ny.csv", BOM_UTF8 + csv("8", "2")),
        ("insta_ny.csv", csv("8", "2").replace(b"\n", b"\r\n") + b"\r\n\r\n"),
        ("insta_ny.csv", csv("8", "2").rstrip()),
        ("insta_ny.csv", b"\n" + csv("8", "2", counts=COUNTS.astype(float))),
        ("insta_ny.csv.gz", gzip.compress(BOM_UTF8 + csv("8.0", "Food"))),
        ("insta_ny.csv.gz", gzip.compress(csv("8", "2"))),
        ("insta_ny.npz", npz(COUNTS, np.array([8, 2]))),
        ("insta_ny.npz", npz(COUNTS, np.array([8.0, 2.0]))),
    ],
)
def test_a_person_s_own_file_is_read(roots: tuple[Path, Path], name: str, content: bytes) -> None:
    put(roots, name, content)
    records = InstaNy().load()
    np.testing.assert_array_equal(records.x, COUNTS)
    assert records.y.tolist() == [8, 2]
    assert records.class_names == CATEGORIES
    assert InstaNy().availability().available
    assert not InstaLa().availability().available


def test_without_a_file_the_error_says_where_to_put_it(roots: tuple[Path, Path]) -> None:
    with pytest.raises(UserError, match=r"insta_la.npz is missing; put it at .*insta_la/insta_la.npz"):
        InstaLa().load()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("insta_ny.csv", b"", "must hold 168 counts and a category per place"),
        (
            "insta_ny.csv",
            csv("8", "2", counts=COUNTS[:, :167]),
            "line 1: must hold 168 counts and a category, got 168 values",
        ),
        ("insta_ny.csv", csv("8", "2") + b"1,2\n", "line 3: must hold 168 counts and a category, got 2 values"),
        ("insta_ny.csv", csv("8", "2").replace(b",", b";"), "its values are separated by semicolons; separate them by"),
        ("insta_ny.csv", csv("8", "2").replace(b",7,", b",seven,"), "line 1: value 8 must be a number, got 'seven'"),
        ("insta_ny.csv", csv("8", "2").decode().encode("utf-16"), "is not text in UTF-8; save it as CSV in UTF-8"),
        ("insta_ny.csv", csv("8", "2.5"), "line 2: category '2.5' must be a number from 0 to 8, or one of Arts & "),
        ("insta_ny.csv", csv("8", "9"), "categories other than 0 to 8"),
        ("insta_ny.csv", csv("8", "Bakery"), "line 2: category 'Bakery' must be a number from 0 to 8, or one of "),
        ("insta_ny.csv", csv("8", "2", counts=-COUNTS), "negative or not finite"),
        ("insta_ny.csv.gz", b"not gzip", "cannot be read: "),
        ("insta_ny.npz", b"not npz", "cannot be read: "),
        ("insta_ny.npz", npz(COUNTS.astype(object), np.array([8, 2])), "cannot be read: .*allow_pickle=False"),
        ("insta_ny.npz", npz(COUNTS, np.array([8, 2.5])), "y holds 2.5, which is no whole number"),
        ("insta_ny.npz", npz(COUNTS, np.array([np.nan, 2])), "y holds nan, which is no whole number"),
        ("insta_ny.npz", npz(COUNTS, np.array([8, np.inf])), "y holds inf, which is no whole number"),
        ("insta_ny.npz", npz(COUNTS, np.array([8, 2, 2])), "must hold 168 counts and a category per place"),
    ],
)
def test_a_file_of_another_shape_is_refused_by_its_name(
    roots: tuple[Path, Path], name: str, content: bytes, message: str
) -> None:
    put(roots, name, content)
    with pytest.raises(UserError, match=f"{name}: .*{message}"):
        InstaNy().load()
