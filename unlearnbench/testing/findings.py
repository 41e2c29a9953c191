"""Checks and their findings."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.plugin_calls import plugin_call

Rule = Callable[[Any], Iterable[str]]
"""Examines a subject and yields one line for each problem."""


@dataclass(frozen=True)
class ConformanceFinding:
    """One requirement that a plug-in does not meet."""

    check: str
    """Name of the check."""
    problem: str
    """What is wrong, in one line."""
    hint: str
    """How to correct it."""

    def __str__(self) -> str:
        return f"{self.check}: {self.problem}\n  hint: {self.hint}"


@dataclass(frozen=True)
class Check:
    """One requirement of a kind of plug-ins."""

    name: str
    requirement: str
    """The requirement, in one line."""
    hint: str
    """How to meet it."""
    rule: Rule

    def findings(self, subject: object) -> list[ConformanceFinding]:
        """Return all problems; an exception of the plug-in is one too."""
        with plugin_call():
            problems = _problems(lambda: self.rule(subject))
        return [ConformanceFinding(self.name, problem, self.hint) for problem in problems]


def check(hint: str) -> Callable[[Rule], Check]:
    """Make a check from a function, with its name and the first line of its docstring as the requirement."""

    def make(rule: Rule) -> Check:
        requirement = (rule.__doc__ or "").partition("\n")[0]
        return Check(rule.__name__.replace("_", "-"), requirement, hint, rule)

    return make


def cases(by_name: Mapping[str, Callable[[], Iterable[str]]], refusable: bool = False) -> Iterator[str]:
    """Yield the problems of each case, preceded by its name. An exception in one case does not stop the others.

    ``refusable`` allows a :class:`UserError`, by which a plug-in refuses a case.
    """
    for name, case in by_name.items():
        for problem in _problems(case, refusable):
            yield f"{name}: {problem}"


def _problems(case: Callable[[], Iterable[str]], refusable: bool = False) -> list[str]:
    problems: list[str] = []
    try:
        problems.extend(case())  # keeps what came before an exception
    except Exception as error:  # noqa: BLE001 - third-party code may raise anything
        if not (refusable and isinstance(error, UserError)):
            problems.append(f"raises {type(error).__name__} {_line_of(error)}: {describe_error(error)}")
    return problems


def _line_of(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"({Path(frame.filename).name}:{frame.lineno})"
