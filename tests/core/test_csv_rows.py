"""CSV as people and their programs save it, and what a message says where it is something else."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.csv_rows import csv_rows, row_of_numbers, whole_number
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import MOST_OF_A_VALUE

PLAIN = b"role,before_0\nunseen,0.5\nforgotten,1\n"
ROWS = [["role", "before_0"], ["unseen", "0.5"], ["forgotten", "1"]]


def read(content: bytes) -> list[list[str]]:
    return [row for _, row in csv_rows(io.BytesIO(content), "a.csv")]


def failure(content: bytes) -> str:
    with pytest.raises(UserError) as caught:
        read(content)
    return str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN + b"\n\n",
        b"\n" + PLAIN,
        BOM_UTF8 + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"unseen", b'"unseen"'),
        PLAIN.replace(b",", b" , "),
        PLAIN.replace(b"unseen", b' "unseen"'),
        BOM_UTF8 + PLAIN.replace(b"role", b'"role"').replace(b"\n", b"\r\n") + b"\r\n",
    ],
)
def test_what_programs_write_around_the_values_does_not_matter(content: bytes) -> None:
    assert read(content) == ROWS


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9), min_size=2)))
def test_what_python_writes_comes_back_without_spaces_around_it(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    assert read(text.getvalue().encode()) == [[cell.strip() for cell in row] for row in rows]


def test_a_row_is_known_by_the_line_it_ends_on() -> None:
    found = list(csv_rows(io.BytesIO(b'a,b\n"two\nlines",1\n\nc,d\n'), "a.csv"))
    assert [line for line, _ in found] == [1, 3, 5]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PLAIN.replace(b",", b";"), "a.csv: its values are separated by semicolons; separate them by commas"),
        (PLAIN.replace(b",", b"\t"), "a.csv: its values are separated by tabs; separate them by commas"),
        (PLAIN.decode().encode("utf-16"), "a.csv: is not text in UTF-8; save it as CSV in UTF-8"),
        (b"a,b\n\xe9,1\n", "a.csv: is not text in UTF-8; save it as CSV in UTF-8"),
        (
            b'a,b\n"' + b"x" * 200_000,
            "a.csv: line 2: field larger than field limit (131072); is a double quote left open?",
        ),
    ],
)
def test_text_that_is_no_csv_is_told_with_what_would_be_right(content: bytes, told: str) -> None:
    assert failure(content) == told


def test_a_semicolon_within_a_value_separates_nothing() -> None:
    assert read(b'"a;b",c\n1,2\n') == [["a;b", "c"], ["1", "2"]]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["1", "x"], "a.csv: line 7: after_0 must be a number, got 'x'"),
        (["", "1"], "a.csv: line 7: role must be a number, got ''"),
        (["1", "0,5"], "a.csv: line 7: after_0 must be a number, got '0,5'; decimals are written with a point"),
    ],
)
def test_a_cell_that_is_no_number_is_told_by_its_column(cells: list[str], told: str) -> None:
    with pytest.raises(UserError) as caught:
        row_of_numbers(cells, 7, "a.csv", ["role", "after_0"])
    assert str(caught.value) == told


def test_a_long_cell_is_not_repeated_whole() -> None:
    with pytest.raises(UserError) as caught:
        row_of_numbers(["1", "x" * 100_000], 7, "a.csv")
    assert str(caught.value).startswith("a.csv: line 7: value 2 must be a number, got 'xxx")
    assert len(str(caught.value)) < MOST_OF_A_VALUE + 60


@given(st.lists(st.floats()))
def test_numbers_come_back_to_the_bit(numbers: list[float]) -> None:
    assert np.array_equal(row_of_numbers(list(map(repr, numbers)), 1, ""), numbers, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "number"), [("2", 2), ("2.0", 2), ("-1.", -1), ("2e1", 20), (f"{2**60 + 1}", 2**60 + 1)]
)
def test_a_whole_number_may_be_written_as_a_decimal(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["2.5", "", "two", "nan", "inf", "-inf", "9" * 5000])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        whole_number(text)


@pytest.mark.parametrize("closes", [True, False])
def test_the_file_is_left_to_whoever_opened_it(closes: bool, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(PLAIN)
    with (tmp_path / "a.csv").open("rb") as file:
        rows = csv_rows(file, "a.csv")
        next(rows)
        if closes:
            file.close()
        rows.close()  # type: ignore[attr-defined]  # it is a generator, typed as what callers need
        assert file.closed == closes
