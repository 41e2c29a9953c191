"""Names of entries and authors: letters of any script and a few signs, and nothing that shows otherwise than it is."""

from __future__ import annotations

import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 100
MOST_MARKS: Final = 4
"""Marks on one letter; more would cover the lines above and below."""
SIGNS: Final = frozenset(" _.,'()&+@-\u2019\u00b7\u30fb\u05f3\u05f4")
"""Beside letters, marks and digits; the last five are the apostrophe, the points and the geresh of names in some
languages. What could be read as a tag, a link or a shell's word by whoever shows a name is not among them."""
BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters of Hangul that show nothing."""
NAME_RULE: Final = (
    f"must be up to {MOST_CHARACTERS} letters, digits, spaces or .,'()&+@-, and begin with a letter or digit"
)


def normal_name(name: str) -> str:
    """Return a name as a submission holds it: in composed letters (NFC)."""
    return unicodedata.normalize("NFC", name)


def checked_name(name: str) -> str:
    """Return a name as it is; ValueError where it is none, or not in composed letters."""
    if not 0 < len(name) <= MOST_CHARACTERS or not _starts(name[0]) or not all(map(_allowed, name)):
        raise ValueError(NAME_RULE)
    if any(all(_kind(c) == "M" for c in name[i : i + MOST_MARKS + 1]) for i in range(len(name) - MOST_MARKS)):
        raise ValueError(f"a letter has more than {MOST_MARKS} marks")
    if name != normal_name(name):
        raise ValueError("must be in composed letters (Unicode NFC)")
    return name


def _starts(character: str) -> bool:
    return _kind(character) in "LN" or character in "_("


def _allowed(character: str) -> bool:
    return character in SIGNS or (_kind(character) in "LMN" and character not in BLANK_LETTERS)


def _kind(character: str) -> str:
    """Return the first letter of the Unicode category."""
    return unicodedata.category(character)[0]
