from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import Location, UserError, did_you_mean
from unlearnbench.core.executors import Failure
from unlearnbench.core.messages import MOST, counted, cut, message_of, one_line, shown

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Any characters, halves of surrogate pairs too."""


@given(ANY_TEXT, ANY_TEXT)
def test_a_message_is_one_short_line_in_which_nothing_is_hidden(text: str, where: str) -> None:
    for message in (message_of(text, where), str(UserError(text, where)), Failure("failed", text).reason):
        assert len(message) <= MOST
        assert message.isprintable()


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("two\nlines", "two lines"),
        ("a\ttab and\r\n\r\na break", "a tab and a break"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("a\u2028b", "a b"),
        ("half \udc80", r"half \udc80"),
        ("naïve · ünïcode 文字", "naïve · ünïcode 文字"),
        ("two  spaces", "two  spaces"),
    ],
)
def test_what_can_be_seen_stays_and_the_rest_is_escaped(text: str, shows: str) -> None:
    assert one_line(text) == shows


@given(st.text(), st.integers(4, 400))
def test_long_text_keeps_its_beginning_and_its_end(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short) == min(len(text), most)
    start, _, end = short.rpartition("...") if len(text) > most else (text, "", "")
    assert text.startswith(start)
    assert text.endswith(end)


def test_a_long_message_leaves_room_for_the_place_and_the_remedy() -> None:
    error = UserError("x" * 900 + "; write less", Location("f/" * 200 + "mine.yaml", 3, 14))
    assert len(str(error)) == MOST
    assert "mine.yaml:3:14: x" in str(error)
    assert str(error).endswith("x; write less")
    assert error.message.endswith("x; write less")
    assert len(error.message) > MOST


@given(ANY_TEXT)
def test_a_value_is_shown_in_few_visible_characters(value: str) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= 62 * len(r"\U0001f600")


def test_known_words_are_listed_as_far_as_they_fit() -> None:
    assert did_you_mean("q", ["b", "a"]) == "; known: a, b"
    assert did_you_mean("sorted-dif", ["sorted-diff", "a"]) == '; did you mean "sorted-diff"?'
    assert did_you_mean("q", []) == ""
    many = did_you_mean("0", [f"word-{n:03}" for n in range(400)])
    assert many.startswith("; known: word-000, word-001, ")
    assert many.endswith(", ...")
    assert len(many) < 140


@pytest.mark.parametrize(
    ("n", "noun", "text"),
    [
        (0, "cell", "0 cells"),
        (1, "cell", "1 cell"),
        (2, "cell", "2 cells"),
        (1, "entry", "1 entry"),
        (3, "entry", "3 entries"),
        (2, "attack day", "2 attack days"),
        (2, "pass", "2 passes"),
        (2, "batch", "2 batches"),
        (2, "data set", "2 data sets"),
        (1200, "row", "1,200 rows"),
    ],
)
def test_a_noun_has_the_number_of_what_is_counted(n: int, noun: str, text: str) -> None:
    assert counted(n, noun) == text
