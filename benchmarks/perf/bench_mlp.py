"""Multilayer perceptrons with records left out: the fast path against the reference, whole calls.

A call trains an original and K models that lack a record of it each; batches, scaling and initial weights are part of
it. Run it with one thread: ``OMP_NUM_THREADS=1 python benchmarks/perf/bench_mlp.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.builtin.models.mlp import MLP
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Order, Records, Step, TrainingSet

ROUNDS = 5
REFERENCE_FITS = 2  # of the K + 1: they all take the same time


def tasks_of(records: Records, n: int, k: int, order: Order, fresh: bool) -> list[FitTask]:
    """Return the original's task and those of k requests that forget a record each."""
    rng = np.random.default_rng(1)
    data = TrainingSet.of(records, rng.permutation(len(records))[:n])
    sets = [data, *(data.after(Step(rng.choice(data.ids, size=1)), order) for _ in range(k))]
    return [FitTask(each, Seeds(i, i, 0) if fresh else Seeds(0, 0, 0)) for i, each in enumerate(sets)]


def seconds(work: Callable[[], Any]) -> float:
    """Return how long ``work`` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(
    name: str, model: MLP, records: Records, k: int = 10, order: Order = "slot", fresh: bool = False
) -> dict[str, Any]:
    """Time one call both ways, in turns."""
    tasks = tasks_of(records, 1500 if records.name == "digits" else 1999, k, order, fresh)
    few = tasks[:REFERENCE_FITS]

    def fast() -> Any:
        return model.fit_many(tasks, "cpu")

    def reference() -> Any:
        return [model.fit(task, "cpu") for task in few]

    fast(), reference()
    times = [(seconds(reference) / len(few), seconds(fast) / len(tasks)) for _ in range(ROUNDS)]
    return {
        "name": name,
        "ratio": median(slow / quick for slow, quick in times),
        "reference_per_s": 1 / median(slow for slow, _ in times),
        "fast_per_s": 1 / median(quick for _, quick in times),
    }


def rows() -> list[dict[str, Any]]:
    """Time the paper's widths and smaller ones, on 14 features and on 64."""
    adult, digits = Adult().load(), Digits().load()
    wide, middle, small = (256, 128, 64, 32), (64, 32), (32,)
    return [
        row("adult, 256-128-64-32", MLP(hidden=wide, epochs=3), adult, k=4),
        row("adult, 256-128-64-32, sgd", MLP(hidden=wide, epochs=3, optimizer="sgd", learning_rate=0.1), adult, k=4),
        row("adult, 256-128-64-32, one epoch", MLP(hidden=wide, epochs=1), adult, k=4),
        row("adult, 64-32", MLP(hidden=middle, epochs=3), adult),
        row("adult, 64-32, compact", MLP(hidden=middle, epochs=3), adult, order="compact"),
        row("adult, 64-32, fresh seeds", MLP(hidden=middle, epochs=3), adult, fresh=True),
        row("adult, 32", MLP(hidden=small, epochs=3), adult),
        row("adult, 32, fresh seeds", MLP(hidden=small, epochs=3), adult, fresh=True),
        row("digits, 64-32", MLP(hidden=middle, epochs=3), digits),
        row("digits, 32", MLP(hidden=small, epochs=3), digits),
    ]


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    for each in rows():
        speed = f"{each['reference_per_s']:7.1f} -> {each['fast_per_s']:8.1f} models/s"
        print(f"{each['name']:34} {each['ratio']:6.1f}x  {speed}")  # noqa: T201 - the result
