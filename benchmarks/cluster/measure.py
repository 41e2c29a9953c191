"""What a dask cluster costs a pack, and whether the memory of the client grows: ``make cluster-cost``.

Workers sleep, so more of them than cores are no disadvantage. The scheduler is part of this process.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Hashable, Sequence
from contextlib import closing
from pathlib import Path

from unlearnbench.builtin.executors.dask.executor import DaskExecutor


class Sleep:
    """Work that sleeps, one task a pack, since tasks share nothing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, task: int, /) -> int:
        """Sleep."""
        time.sleep(self.seconds)
        return task

    def shared(self, _: int, /) -> Hashable:
        """Return None."""
        return None

    def kernels(self, _: int, /) -> str:
        """Return ""."""
        return ""

    def device(self, _: int, /) -> str:
        """Return "cpu"."""
        return "cpu"

    def portable(self, _: Sequence[int], /) -> Sleep:
        """Return this work."""
        return self

    def fingerprint(self) -> dict[str, str]:
        """Return nothing."""
        return {}


def overhead(workers: int, seconds: float, packs: int) -> tuple[float, float]:
    """Return the seconds that a pack takes one worker beyond those that it sleeps, and the CPU seconds of this process.

    The second hardly depends on what else the machine does.
    """
    with closing(DaskExecutor(workers=workers, patience=120.0)) as executor:
        list(executor.run(Sleep(0.0), range(4 * workers)))  # all workers and their children are there
        start, busy = time.perf_counter(), time.process_time()
        done = sum(1 for _ in executor.run(Sleep(seconds), range(packs * workers)))
        took = (time.perf_counter() - start) * workers / done
        return took - seconds, (time.process_time() - busy) / done


def memory(packs: int, looks: int = 10) -> None:
    """Print the memory of this process after each share of so many packs of nothing."""
    start = time.process_time()
    with closing(DaskExecutor(workers=2, patience=120.0)) as executor:
        for number, _ in enumerate(executor.run(Sleep(0.0), range(packs)), 1):
            if number % (packs // looks) == 0:
                took = 1000 * (time.process_time() - start) / number
                print(f"| {number:,} | {_resident() / 10**6:.0f} MB | {took:.1f} ms |", flush=True)  # noqa: T201 - a script


def _resident() -> int:
    fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(fields[1]) * 4096


def main(arguments: Sequence[str]) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packs", type=int, default=30, help="packs a worker in the measurement of the overhead")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each of them sleeps")
    parser.add_argument("--memory-packs", type=int, default=100_000, help="packs in the measurement of the memory")
    given = parser.parse_args(arguments)
    for workers in (1, 2, 4, 8) if given.packs else ():
        cost, busy = overhead(workers, given.seconds, given.packs)
        print(f"| {workers} | {1000 * cost:.0f} ms | {1000 * busy:.1f} ms |", flush=True)  # noqa: T201 - a script
    if given.memory_packs:
        memory(given.memory_packs)


if __name__ == "__main__":
    main(sys.argv[1:])
