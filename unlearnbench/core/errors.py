"""Errors that a user can correct, reported in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate

from unlearnbench.core.messages import as_line, message_of, shown


@dataclass(frozen=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class UserError(Exception):
    """Bad input: what is wrong, where, and what would be right. The command line prints it and exits with 2.

    Its text is one line of at most 300 characters, none of them hidden, whatever the message quotes.
    """

    def __init__(self, message: str, where: Location | str | None = None) -> None:
        super().__init__(message_of(message, "" if where is None else str(where)))
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


MOST_LISTED = 120
"""How many characters a list of known words has at most."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``'; did you mean "..."?'`` with the closest known word, or a list of the known words if none is close."""
    names = sorted(known)
    close = get_close_matches(word[:MOST_LISTED], names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {shown(close[0])}?"
    return f"; known: {_listed(names)}" if names else ""


def _listed(names: Sequence[str]) -> str:
    """Return as many names as fit, and dots for the rest."""
    ends = accumulate(len(name) + 2 for name in names)
    fitting = [name for name, end in zip(names, ends, strict=True) if end <= MOST_LISTED]
    return ", ".join(fitting if len(fitting) == len(names) else [*fitting, "..."])
