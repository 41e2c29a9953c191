"""Random small suites under random kills, signals, damage and full disks end as undisturbed runs do.

    PYTHONPATH=benchmarks python -m soak --minutes 60

Each round writes a suite, runs it undisturbed, then runs it into another store, several times, disturbed at a random
moment each time, with entries damaged in between. At the end that store holds the same bits, nothing damaged and
nothing left over. What fails is told with the seed that repeats the round, though not its moments.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from soak.damage import damage_some
from soak.disturbances import disturbed_run
from soak.runs import BrokenError, differences, ended, expect, start
from soak.suites import write_suite
from unlearnbench.run.store import Store
from unlearnbench.run.store_files import Category, contents, damaged_entries, remove_unread, set_damaged_aside

EXECUTORS = ("serial", "processes", "dask")
"""To add one, add what --executor takes."""
MOST_MEMORY = 6 * 10**9
"""The most bytes that a run and all that it started may hold: about ten processes with the libraries loaded."""
MOST_DISK = 1.2
"""The most bytes of a store after its runs, cleaned, beside one that was not disturbed."""


class Figures:
    """What a soak has done so far."""

    def __init__(self) -> None:
        self.rounds = 0
        self.damaged = 0
        """Entries that were damaged."""
        self.done: Counter[str] = Counter()
        """How often each disturbance was tried, by executor."""
        self.memory = 0
        """The most bytes that a run held."""
        self.disk = 0
        """The most bytes of a store, before it was cleaned."""

    def lines(self) -> list[str]:
        """Return the figures, one a line."""
        runs, megabytes = self.done.total(), (self.memory / 10**6, self.disk / 10**6)
        return [
            f"{self.rounds} rounds, {runs} disturbed runs, {self.damaged} entries damaged; lost 0, wrong 0",
            *(f"{count:6} {what}" for what, count in sorted(self.done.items())),
            "at most {:.0f} MB of memory in one run, {:.2f} MB of disk in one store".format(*megabytes),
        ]


def soak_round(folder: Path, seed: int, executors: Sequence[str], figures: Figures) -> None:
    """Do one round in a folder. BrokenError where anything is lost, wrong or left over."""
    rng = random.Random(seed)  # noqa: S311 - any moment will do
    suite, expected, store = write_suite(folder, rng), Store(folder / "expected"), Store(folder / "store")
    run_to_the_end(suite, expected.root)
    for _ in range(rng.randint(2, 5)):
        options = ("--executor", executor := rng.choice(executors), *rng.choice([(), ("--timeout", "200")]))
        what, held = disturbed_run(suite, store.root, options, rng)
        figures.done[f"{executor}: {what}"] += 1
        figures.damaged += damage_some(store.root, rng)
        figures.memory = max(figures.memory, held)
    set_damaged_aside(store)  # a run finds what it reads only: not an episode all of whose cells are there
    run_to_the_end(suite, store.root, "--executor", rng.choice(executors))
    figures.disk = max(figures.disk, size(store))
    check(expected, store)
    expect(figures.memory < MOST_MEMORY, f"a run held {figures.memory:,} bytes")
    figures.rounds += 1


def run_to_the_end(suite: Path, store: Path, *options: str) -> None:
    """Run a suite undisturbed; BrokenError where a cell fails."""
    said = ended(run := start(suite, store, *options))
    expect(run.returncode == 0, f"exit code {run.returncode}: {said}")


def check(expected: Store, store: Store) -> None:
    """Check that a store holds what another does and no more, once what no run reads is removed."""
    expect(not damaged_entries(store), f"damaged at the end: {damaged_entries(store)}")
    expect(not (found := differences(expected, store)), f"not the results of an undisturbed run: {found}")
    remove_unread(store)
    expect(files(store) == files(expected), f"files at the end: {files(store)}; undisturbed: {files(expected)}")
    expect(size(store) <= MOST_DISK * size(expected), f"{size(store):,} bytes on disk")


def files(store: Store) -> dict[Category, int]:
    """Return how many files of each category a store has."""
    return {category: found.files for category, found in contents(store).items()}


def size(store: Store) -> int:
    """Return the bytes of all files of a store."""
    return sum(found.bytes for found in contents(store).values())


def soak(minutes: float, seed: int, executors: Sequence[str]) -> Figures:
    """Do rounds until the time is over, at least one."""
    figures, end = Figures(), time.monotonic() + 60 * minutes
    while not figures.rounds or time.monotonic() < end:
        with TemporaryDirectory(prefix="soak-") as folder:
            try:
                soak_round(Path(folder), seed + figures.rounds, executors, figures)
            except BrokenError as error:
                raise BrokenError(f"--seed {seed + figures.rounds}: {error}") from error
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak as a command line asks for it, and print its figures."""
    parser = argparse.ArgumentParser(description="Disturb runs at random and compare what they end with.")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first round; the next has the next")
    parser.add_argument("--executors", nargs="+", default=EXECUTORS)
    given = parser.parse_args(arguments)
    figures = soak(given.minutes, given.seed, given.executors)
    sys.stdout.write("\n".join(figures.lines()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
