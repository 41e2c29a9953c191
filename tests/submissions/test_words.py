"""Names of any script are names; what shows otherwise than it is, is none."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.errors import UserError
from unlearnbench.submissions.pack import Entry
from unlearnbench.submissions.words import SIGNS, checked_name, normal_name

NAMES = (
    "Chen et al. (2021)", "O'Neil & Co", "O\u2019Neil", "名前", "ジョン・スミス", "a@b.org", "SISA+10", "अनिल कुमार",
    "สมชาย ใจดี", "தமிழ் செல்வன்", "Núria Gal·là", "Nguyễn Văn A", "(anonymous)", "2 authors", "_x",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_script_are_fine_composed_or_not(name: str) -> None:
    entry = Entry(name, unicodedata.normalize("NFD", name))
    assert entry.name == entry.author == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "name",
    [
        "", " x", "-x", "\u0301x", "a" * 101, "a\nb", "a\tb", "<b>", "`rm`", "[x](y)", "a/b", "a:b", "a\\b", "a|b",
        "a*b", "a\u202eb", "a\u2066b", "a\u200bb", "a\u200db", "a\ufeffb", "a\u00adb", "a\x00b", "a\x9fb", "a\u2028b",
        "a\ue000b", "a\u0378b", "\u3164", "a\u115fb", "a\u00a0b", "a\u3000b", "😀",
    ],
)  # fmt: skip
def test_what_is_markup_unseen_or_turns_text_is_no_name(name: str) -> None:
    with pytest.raises(UserError, match=r"^--name: must be up to 100 letters, digits, spaces"):
        Entry(name, "An author")
    with pytest.raises(UserError, match=r"^--author: must be up to 100 letters") as told:
        Entry("A name", name)
    assert len(str(told.value)) <= 300
    assert str(told.value).isprintable()


def test_a_letter_has_few_marks() -> None:
    assert checked_name("q" + "\u0323" * 4)
    with pytest.raises(ValueError, match="a letter has more than 4 marks"):
        checked_name("q" + "\u0323" * 5)


def test_a_submission_holds_composed_letters() -> None:
    with pytest.raises(ValueError, match="must be in composed letters"):
        checked_name("Jose\u0301")


@given(st.text(max_size=30))
def test_a_name_is_printable_and_stays_as_it_is(text: str) -> None:
    try:
        name = checked_name(normal_name(text))
    except ValueError:
        return
    assert name.isprintable()
    assert checked_name(normal_name(name)) == name
    assert all(c in SIGNS or unicodedata.category(c)[0] in "LMN" for c in name)
