"""What a check is, and what it finds."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.sources import one_line

Look = Callable[[Any], Iterable[str]]
"""Looks at a subject and yields what is wrong with it, a line each."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: which check found it, what it saw, and how to mend it."""

    check: str
    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.check}: {self.what}\n  hint: {self.hint}"


@dataclass(frozen=True)
class Check:
    """One question about a plug-in. ``asks`` says in a line what must hold."""

    name: str
    asks: str
    hint: str
    look: Look

    def findings(self, subject: object) -> list[Finding]:
        """Return what is wrong; whatever the plug-in raises is a finding too."""
        return [Finding(self.name, what, self.hint) for what in _seen(lambda: self.look(subject))]


def check(hint: str) -> Callable[[Look], Check]:
    """Make a check of a function: its name names the check, the first line of its docstring says what must hold."""

    def make(look: Look) -> Check:
        asks = (look.__doc__ or "").partition("\n")[0]
        return Check(look.__name__.replace("_", "-"), asks, hint, look)

    return make


def cases(by_name: Mapping[str, Callable[[], Iterable[str]]], refusable: bool = False) -> Iterator[str]:
    """Yield what is wrong in each case, with the case's name before it; a case that raises stops no other.

    ``refusable`` allows a :class:`UserError`: a person is told in one line what would be right.
    """
    for name, look in by_name.items():
        for what in _seen(look, refusable):
            yield f"{name}: {what}"


def _seen(look: Callable[[], Iterable[str]], refusable: bool = False) -> list[str]:
    seen: list[str] = []
    try:
        seen.extend(look())  # keeps what came before an exception
    except Exception as error:  # noqa: BLE001 - third-party code may raise anything
        if not (refusable and isinstance(error, UserError)):
            seen.append(f"raises {type(error).__name__} {_place(error)}: {one_line(error)}")
    return seen


def _place(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"({Path(frame.filename).name}:{frame.lineno})"
