"""An error is one line: where, what, what would be right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import Location, UserError, describe_error, did_you_mean
from unlearnbench.core.messages import as_line


def test_the_place_stands_first() -> None:
    error = UserError("unknown key", Location("suite.yaml", 3, 7))
    assert str(error) == "suite.yaml:3:7: unknown key"
    assert (error.message, error.where) == ("unknown key", Location("suite.yaml", 3, 7))


@pytest.mark.parametrize(("where", "line"), [("--only", "--only: bad"), (None, "bad")])
def test_a_place_may_be_a_name_or_nothing(where: str | None, line: str) -> None:
    assert str(UserError("bad", where)) == line


def test_a_slip_of_the_pen_is_answered_with_the_closest_name() -> None:
    assert did_you_mean("retrian", ["sisa", "retrain", "none"]) == '; did you mean "retrain"?'


def test_a_word_like_none_of_the_names_is_answered_with_all_of_them_in_order() -> None:
    assert did_you_mean("xyz", ["sisa", "none"]) == "; known: none, sisa"


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert did_you_mean("xyz", []) == ""


@given(st.text(st.characters(codec=None)), st.integers(4, 400))
def test_any_text_becomes_a_line_that_can_be_printed_and_is_not_too_long(text: str, most: int) -> None:
    line = as_line(text, most)
    assert len(line) <= most
    assert line.isprintable()
    line.encode()


def test_what_fits_a_line_stays() -> None:
    assert as_line("a plain line") == "a plain line"
    assert as_line("two\nlines\tand a tab") == "two lines and a tab"


def test_an_exception_is_described_by_its_type_but_a_users_error_by_its_text() -> None:
    assert describe_error(ValueError("bad")) == "ValueError: bad"
    assert describe_error(ValueError(" ")) == "ValueError"
    assert describe_error(UserError("bad", "--only")) == "--only: bad"
