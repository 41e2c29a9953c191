"""Text of others as messages and tables show it: in one line, with nothing hidden, and no longer than readers need."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 300
"""How many characters a message has at most."""
MOST_OF_A_VALUE: Final = 60
"""How many characters of a value a message shows."""


def one_line(text: str) -> str:
    """Return text in one line: line breaks and tabs are spaces, and what cannot be seen is escaped."""
    return escaped(re.sub(r"[^\S ]+", " ", text))


def escaped(text: str) -> str:
    r"""Return text with an escape such as ``\x1b`` for each character that would hide, move or reorder others."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def cut(text: str, most: int = MOST) -> str:
    """Return text of at most so many characters, without its middle if it is longer: its ends say what and how."""
    if len(text) <= most:
        return text
    tail = (most - 3) // 3
    return f"{text[: most - 3 - tail]}...{text[len(text) - tail :]}"


def as_line(text: str, most: int = MOST) -> str:
    """Return text of any form as one line of at most so many characters."""
    return cut(one_line(text), most)


def message_of(text: str, where: str = "") -> str:
    """Return what one message says, at most :data:`MOST` characters: where, if that is known, and what."""
    what, place = one_line(text), one_line(where)
    start = f"{cut(place, max(MOST // 2, MOST - len(what) - 2))}: " if place else ""
    return start + cut(what, MOST - len(start))


def shown(value: object) -> str:
    """Describe a value briefly, in the words of a suite file."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{escaped(value)}"' if len(value) <= MOST_OF_A_VALUE else f'"{escaped(value[:57])}..."'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value)


def plural(n: int, noun: str) -> str:
    """Return a regular noun in the number that ``n`` of it are: cell, cells; entry, entries; pass, passes."""
    if n == 1:
        return noun
    if re.search("(s|x|ch|sh)$", noun):
        return f"{noun}es"
    return f"{noun[:-1]}ies" if re.search("[^aeiou]y$", noun) else f"{noun}s"


def counted(n: int, noun: str) -> str:
    """Return a number and its noun, such as ``1 cell`` or ``3 entries``."""
    return f"{n:,} {plural(n, noun)}"


def brief(value: object) -> str:
    """Return a value of a user's file as Python writes it, cut if it is long."""
    return cut(repr(value), MOST_OF_A_VALUE)
