"""What `plan`, `status`, `results` and a resumed `run` cost on a store of many cells: ``make store-cost``.

One seed of the suite quickstart is run. Its entries are stored again under the keys of the other seeds, so that the
store holds what a run of all seeds would leave. Episodes are small, or 100,000 cells would fill 22 GB. Then each
command runs in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from unlearnbench.run.cells import Cell, EpisodeTask, Plan
from unlearnbench.run.session import Session, SessionOptions, open_session
from unlearnbench.run.store import Store
from unlearnbench.run.store_files import contents
from unlearnbench.suite.model import AXES

QUICKSTART = Path(__file__).parents[1] / "suites" / "quickstart.yaml"
CELLS = 540
"""Of quickstart, for each seed."""
SIZES = {"originals": 2, "requests": 5, "records": 100, "negatives": 10, "matched": 2, "retained": 4}
COMMANDS = ("plan", "status", "results", "run")


def write_suite(folder: Path, seeds: int) -> Path:
    """Write quickstart with so many seeds and small episodes."""
    changed = {"suite": "many", "seeds": [*range(seeds)], "episodes": SIZES}
    suite = yaml.safe_load(QUICKSTART.read_text(encoding="utf-8")) | changed
    path = folder / "many.yaml"
    path.write_text(yaml.safe_dump(suite), encoding="utf-8")
    return path


def fill(plan: Plan, store: Store) -> None:
    """Store the entries of the first seed for all others."""
    for kind, planned, name in (("cell", plan.cells, _cell), ("episode", plan.episodes, _episode)):
        done = {name(task): key for key, task in planned.items() if task.seed == 0}  # type: ignore[operator]  # of its kind
        for key, task in planned.items():
            if task.seed and (entry := store.get(kind, done[name(task)])):  # type: ignore[operator]  # of its kind
                store.put(kind, key, entry.payload, entry.arrays)


def _cell(cell: Cell) -> Hashable:
    return tuple(cell.labels.values())


def _episode(task: EpisodeTask) -> Hashable:
    return *(getattr(task, axis).label for axis in AXES[:4]), task.side, task.original


def measure(command: str, *arguments: str) -> tuple[float, float, float]:
    """Run a command; return its seconds, its processor seconds and the most megabytes that it held."""
    start = time.perf_counter()
    words = [sys.executable, "-m", "unlearnbench", command, *arguments]
    _, code, used = os.wait4(os.posix_spawn(sys.executable, words, os.environ, file_actions=SILENT), 0)
    if code:
        raise SystemExit(f"{command}: exit code {os.waitstatus_to_exitcode(code)}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


SILENT = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]


def opened(suite: Path, store: Path) -> Session:
    """Plan the suite."""
    return open_session(str(suite), SessionOptions(store=store))


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=100_000, help="about how many, by whole seeds")
    given = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="store-") as folder:
        suite, place = write_suite(Path(folder), -(-given.cells // CELLS)), Path(folder) / "store"
        _print("run of one seed", measure("run", str(suite), "--store", str(place), "--seed", "0"))
        session = opened(suite, place)
        fill(session.plan, session.store)
        print({kind: found.files for kind, found in contents(session.store).items()}, flush=True)  # noqa: T201 - a script
        for command in COMMANDS:
            _print(command, measure(command, str(suite), "--store", str(place)))


def _print(what: str, figures: tuple[float, float, float]) -> None:
    seconds, busy, held = figures
    print(f"| {what} | {seconds:.1f} s | {busy:.1f} s | {held:.0f} MB |", flush=True)  # noqa: T201 - a script


if __name__ == "__main__":
    main(sys.argv[1:])
