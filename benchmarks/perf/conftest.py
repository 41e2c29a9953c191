"""One thread, an empty cache of machine code, and the tables at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import machine
import pytest
from comparing import Compare, Row
from reporting import tables, write_json, write_markdown

ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to measure where libraries start threads: more than one would compete for the core that is measured."""
    if not machine.pinned():
        raise pytest.UsageError(f"set {', '.join(machine.THREADS)} to 1, as make bench does: one thread is measured")
    config.stash[ROWS] = []


@pytest.fixture(scope="session", autouse=True)
def _empty_cache() -> Iterator[None]:
    """Keep machine code in an empty directory, so that first calls show what compiling takes."""
    with TemporaryDirectory() as directory:
        os.environ["NUMBA_CACHE_DIR"] = directory  # numba reads it when it is imported, which no benchmark did yet
        yield


@pytest.fixture
def compare(benchmark: Any, pytestconfig: pytest.Config) -> Compare:
    """Compare a fast path with its reference: see comparing.py."""
    return Compare(benchmark, pytestconfig.stash[ROWS])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the tables; write them where ``BENCH_JSON`` and ``BENCH_MARKDOWN`` say."""
    rows = config.stash[ROWS]
    name = f"{machine.description()}; matrix products at {machine.peak_flops() / 1e9:.0f} GF/s on one core"
    terminalreporter.write_line(f"\n{name}\n\n{tables(rows, 'simple')}")
    if file := os.environ.get("BENCH_JSON"):
        write_json(rows, Path(file))
    if file := os.environ.get("BENCH_MARKDOWN"):
        write_markdown(rows, name, Path(file))
