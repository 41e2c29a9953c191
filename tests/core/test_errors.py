"""An error is one line: where, what, what would be right."""

from __future__ import annotations

import pytest

from unlearnbench.core.errors import Location, UserError, did_you_mean


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
