"""Errors that a user can correct, reported in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_VALUE = 60
"""Characters of a user's value that a message repeats."""


@dataclass(frozen=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class UserError(Exception):
    """Bad input: what is wrong, where, and what would be right. The command line prints it and exits with 2."""

    def __init__(self, message: str, where: Location | str | None = None) -> None:
        super().__init__(f"{where}: {message}" if where is not None else message)
        self.message = message
        self.where = where


def describe_error(error: BaseException) -> str:
    """Describe an exception in one line, with its type unless it is a UserError; any exception can be described."""
    if isinstance(error, UserError):
        return str(error)
    name = type(error).__name__
    try:
        text = str(error)
        return as_line(f"{name}: {text}") if text.strip() else name
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - the code of others may raise anything here too
        return f"{name}: its text cannot be told"


def as_line(text: str, most: int = 300) -> str:
    """Return a text of any form as one line of at most ``most`` characters."""
    return cut(one_line(" ".join(text.split())[: most + 1]), most)


def one_line(message: str) -> str:
    """Escape characters that would split a message into several lines, hide part of it or cannot be encoded."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in message)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``'; did you mean "..."?'`` with the closest known word, or a list of the known words if none is close."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f'; did you mean "{close[0]}"?'
    return f"; known: {', '.join(names)}" if names else ""


def brief(value: object) -> str:
    """Return a value of a user's file for a message: quoted if it is text, on one line, and cut if it is long."""
    return cut(repr(value), LONGEST_VALUE)


def cut(text: str, most: int) -> str:
    """Return ``text``, or its beginning and dots where it has more than ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
