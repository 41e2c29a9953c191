"""Values of a suite file in error messages."""

from __future__ import annotations


def one_line(message: str) -> str:
    """Escape characters that would split a message into several lines or hide part of it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in message)


def shown(value: object) -> str:
    """Describe a value briefly, in the words of a suite file."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"' if len(value) <= 60 else f'"{value[:57]}..."'
        case list():
            return "a list"
        case dict():
            return "a mapping"
    return str(value)
