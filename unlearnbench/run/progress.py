"""The progress of a run: a bar on a terminal, else a line now and then, for logs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

EVERY: Final = 30.0
"""Seconds between two lines."""


class Advance(Protocol):
    """Reports that one more piece of work has ended."""

    def __call__(self, failed: bool = False) -> None:
        """Advance by one; ``failed`` says whether it has no result."""


@dataclass
class Lines:
    """Progress as lines: what is done, what failed, how fast it goes and how long the rest takes at that speed."""

    title: str
    total: int
    every: float = EVERY
    now: Callable[[], float] = time.monotonic
    """The clock, in seconds."""
    done: int = 0
    failed: int = 0
    start: float = field(init=False)
    told: float = field(init=False)
    """When the last line was written."""

    def __post_init__(self) -> None:
        self.start = self.told = self.now()

    def advance(self, failed: bool = False) -> None:
        """Count one more piece of work, and write a line if the last was some time ago."""
        self.done += 1
        self.failed += failed
        if self.now() - self.told >= self.every:
            self.told = self.now()
            with suppress(OSError):  # a run does not end because nobody reads its log
                sys.stderr.write(f"{self.line()}\n")
                sys.stderr.flush()

    def line(self) -> str:
        """Return what to write now."""
        rate = self.done / max(self.now() - self.start, 1e-9)
        return (
            f"{self.title}: {self.done:,} of {self.total:,} done, {self.failed:,} failed, "
            f"{_rate(rate)}, {_duration((self.total - self.done) / rate)} left"
        )


def _rate(per_second: float) -> str:
    return f"{per_second:.1f} a second" if per_second >= 1 else f"{per_second * 60:.1f} a minute"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def progress(title: str, total: int, shown: bool) -> Iterator[Advance]:
    """Yield a function that reports the end of one piece of work. What is shown goes to standard error."""
    if shown and total and sys.stderr.isatty():
        with _bar(title, total) as advance:
            yield advance
    else:
        yield Lines(title, total, EVERY if shown else math.inf).advance


@contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    failures = 0
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(failed: bool = False) -> None:
            nonlocal failures
            failures += failed
            bar.update(task, advance=1, description=f"{title}, {failures} failed" if failures else title)

        yield advance
