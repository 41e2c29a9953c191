"""What is measured: parts of cases. A case that fails, or for which no time is left, costs no other case."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gpu.comparing import Row
from gpu.setting import Setting

Case = Callable[[], Row]


class SkippedError(Exception):
    """A part cannot be measured on this machine; the message says why."""


@dataclass(frozen=True)
class Part:
    """A table of the page."""

    name: str
    """What ``--only`` takes."""
    about: str
    """What is compared, as a sentence of the page."""
    ways: tuple[str, str]
    """What the two ways are called; ``{device}`` is the device."""
    cases: Callable[[Setting], Mapping[str, Case]]
    """Returns the cases, by name. SkippedError where there are none on this machine."""
    note: Callable[[Setting], str] = lambda _: ""
    """Returns what else the page says, such as where records are from."""


@dataclass
class Outcome:
    """What came of a part."""

    part: Part
    rows: dict[str, Row] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    """The reason of each case that failed; the case "all" is the part itself."""
    left_out: list[str] = field(default_factory=list)
    """The cases for which no time was left."""
    skipped: str = ""
    """Why the part was not measured."""
    note: str = ""
    """What ``part.note`` returned."""


def measured(part: Part, setting: Setting, end: float) -> Iterator[Outcome]:
    """Yield what came of a part so far, after each case; none starts after ``end``, of the monotonic clock."""
    outcome = Outcome(part)
    try:
        cases, outcome.note = part.cases(setting), part.note(setting)
    except SkippedError as reason:
        cases, outcome.skipped = {}, str(reason)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the others go on
        cases, outcome.failed = {}, {"all": reason_of(error)}
    yield outcome
    for name, case in cases.items():
        _measure(outcome, name, case, end)
        yield outcome


def _measure(outcome: Outcome, name: str, case: Case, end: float) -> None:
    if time.monotonic() >= end:
        outcome.left_out.append(name)
        return
    try:
        outcome.rows[name] = case()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a case, the others go on
        outcome.failed[name] = reason_of(error)


def reason_of(error: Exception) -> str:
    """Return kind and message of an error as one line of at most 300 characters."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
