"""Logistic regression with records left out: the fast path against the reference, whole episodes.

An episode is one original and then K requests; both ways of training are timed from a clean start, the base's solution
and its Hessian's inverse included. Run it with
one thread: ``OMP_NUM_THREADS=1 python benchmarks/perf/bench_logistic.py``.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import numpy as np

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine.querying import query

ROUNDS = 3
REFERENCE_FITS = 5  # of the K + 1: they all take the same time


def visits(n: int = 2500, d: int = 168, n_classes: int = 9) -> Records:
    """Return made-up binary records as wide as location data: which of 168 places were visited."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    x = rng.random((n, d)) < rng.beta(1, 3, size=(n_classes, d))[y]
    return Records("visits", x.astype(np.float64), y, n_classes, Provenance("made up", "none"))


def episode(records: Records, n: int, k: int, forget: int) -> tuple[FitTask, list[FitTask]]:
    """Return the original's task and those of K requests that forget some records each."""
    rng = np.random.default_rng(1)
    data = TrainingSet.of(records, rng.permutation(len(records))[:n])
    steps = [Step(rng.choice(data.ids, size=forget, replace=False)) for _ in range(k)]
    return FitTask(data, Seeds(0, 0, 0)), [FitTask(data.after(step), Seeds(0, 0, 0)) for step in steps]


def seconds(work: Callable[[], Any]) -> float:
    """Return how long ``work`` takes, its results and what they share dropped afterwards."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, records: Records, n: int, k: int, forget: int = 1) -> dict[str, Any]:
    """Time one episode both ways, in turns."""
    model, (original, requests) = LogisticRegression(), episode(records, n, k, forget)

    def fast() -> Sequence[Any]:
        start = model.fit_many([original], "cpu")
        return [*start, *model.fit_many(requests, "cpu")]

    def reference() -> Sequence[Any]:
        return [model.fit(task, "cpu") for task in [original, *requests][:REFERENCE_FITS]]

    pairs = zip(query(fast(), records.x), query(reference(), records.x), strict=False)
    error = max(float(np.abs(np.exp(ours) - np.exp(theirs)).max()) for ours, theirs in pairs)
    times = [(seconds(reference) / REFERENCE_FITS, seconds(fast) / (k + 1)) for _ in range(ROUNDS)]
    return {
        "name": name,
        "ratio": median(slow / quick for slow, quick in times),
        "reference_per_s": 1 / median(slow for slow, _ in times),
        "fast_per_s": 1 / median(quick for _, quick in times),
        "error": error,
    }


def rows() -> list[dict[str, Any]]:
    """Time episodes of the paper's size, longer ones, and deletions of ten records."""
    adult, digits, wide = Adult().load(), Digits().load(), visits()
    return [
        row("adult 2000 x 14, 2 classes, K = 20", adult, 2000, 20),
        row("adult 2000 x 14, 2 classes, K = 100", adult, 2000, 100),
        row("adult 10000 x 14, 2 classes, K = 100", adult, 10_000, 100),
        row("digits 1500 x 64, 10 classes, K = 20", digits, 1500, 20),
        row("digits 1500 x 64, 10 classes, K = 100", digits, 1500, 100),
        row("digits, K = 20, ten records each", digits, 1500, 20, forget=10),
        row("visits 2000 x 168, 9 classes, K = 20", wide, 2000, 20),
        row("visits 2000 x 168, 9 classes, K = 100", wide, 2000, 100),
    ]


if __name__ == "__main__":
    for each in rows():
        speed = f"{each['reference_per_s']:7.1f} -> {each['fast_per_s']:8.1f} models/s"
        print(f"{each['name']:40} {each['ratio']:6.1f}x  {speed}  within {each['error']:.0e}")  # noqa: T201 - the result
