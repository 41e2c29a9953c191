"""A fast path beside its reference, in one process, in turns: the one place where benchmarks measure.

A benchmark is a function ``bench_*`` in a file ``bench_*.py``. It makes its data, asks for the fixture ``compare`` and
calls it once; ``pytest.mark.parametrize`` makes one benchmark of each case::

    @pytest.mark.parametrize(("data", "hidden"), [("Adult", (32,)), ("Adult", (64, 32))])
    def bench_mlp(data: str, hidden: tuple[int, ...], compare: Compare) -> None:
        model, tasks = MLP(hidden=hidden), requests(...)
        compare(
            "mlp",
            f"{data}, {hidden}",
            reference=lambda: [model.fit(task, "cpu") for task in tasks[:2]],
            reference_models=2,
            fast=lambda: model.fit_many(tasks, "cpu"),
            fast_models=len(tasks),
        )

``reference`` and ``fast`` are called without arguments, once each to warm up and then in turns, so that other work on
the machine slows both down; what they return is ignored. They may train different numbers of models. Instead of models
they may do anything else a number of times. Rates and ratio are medians over the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from machine import Memory, peak_flops
from numpy.typing import NDArray

Work = Callable[[], Any]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """The result of one benchmark."""

    table: str
    """The table it is shown in."""
    kind: str
    """The kind of model."""
    data: str
    """The case: data and settings."""
    reference_per_s: float
    """Models per second of the reference."""
    fast_per_s: float
    """Models per second of the fast path."""
    ratio: float
    """How many times faster the fast path is."""
    peak_share: float | None
    """Operations per second of the fast path over those of a large matrix product on the same core."""
    peak_mb: float | None
    """The most memory that a call of the fast path took."""
    first_call_s: float
    """How much longer the first call took."""

    @property
    def name(self) -> str:
        """Kind and data."""
        return f"{self.kind}: {self.data}"


def seconds(work: Work, clock: Clock = time.perf_counter) -> float:
    """Return how long one call takes."""
    start = clock()
    work()
    return clock() - start


class Compare:
    """The fixture ``compare``: measures one fast path and its reference, and keeps the row."""

    def __init__(self, benchmark: Any, rows: list[Row]) -> None:
        self.benchmark = benchmark
        self.rows = rows

    def __call__(
        self,
        kind: str,
        data: str,
        *,
        reference: Work,
        fast: Work,
        reference_models: float = 1,
        fast_models: float = 1,
        flops: float | None = None,
        rounds: int = 3,
        table: str = "Fast paths",
        clock: Clock = time.perf_counter,
    ) -> Row:
        """Measure both. ``flops``: floating-point operations that one model takes, to report the share of the peak.

        ``table`` is the title of the table that the row goes to. By ``time.process_time`` as the ``clock`` only the
        time of this process counts, which moves less on a busy machine; what starts others is measured by the wall.
        """
        reference()  # first, so that libraries that both need are not counted as the fast path's first call
        first = seconds(fast, clock)
        calls, peak_mb = self._in_turns(reference, fast, rounds, clock)
        slow, quick = calls.T / [[reference_models], [fast_models]]
        row = Row(
            table=table,
            kind=kind,
            data=data,
            reference_per_s=1 / median(slow),
            fast_per_s=1 / median(quick),
            ratio=median(slow / quick),
            peak_share=flops / median(quick) / peak_flops() if flops else None,
            peak_mb=peak_mb,
            first_call_s=max(0.0, first - median(calls[:, 1])),
        )
        self.benchmark.extra_info.update(asdict(row), name=row.name)
        self.rows.append(row)
        return row

    def _in_turns(
        self, reference: Work, fast: Work, rounds: int, clock: Clock
    ) -> tuple[NDArray[np.float64], float | None]:
        """Return the seconds of each call (rounds, 2), and the memory that the last call of ``fast`` took."""
        memory = Memory()
        slow: list[float] = []
        quick: list[float] = []

        def before_each_call() -> None:
            slow.append(seconds(reference, clock))
            memory.reset()

        def call() -> None:  # models are not handed on: what they share must not live until the next call
            quick.append(seconds(fast, clock))

        self.benchmark.pedantic(call, setup=before_each_call, rounds=rounds)
        return np.column_stack([slow, quick]), memory.peak_mb()


def median(values: NDArray[np.float64]) -> float:
    """Return the median as a plain number."""
    return float(np.median(values))
