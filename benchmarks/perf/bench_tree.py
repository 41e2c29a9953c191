"""Decision trees that have one record deleted each: many together against scikit-learn one by one.

Run with ``OMP_NUM_THREADS=1 python benchmarks/perf/bench_tree.py``; read the ratios, not the times.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet

REQUESTS, REFERENCES, RECORDS, ROUNDS = 100, 10, 2000, 5


def continuous(n_classes: int) -> Records:
    """Return made-up records, no two values of a feature alike, classes that overlap."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(RECORDS, 14))
    y = (x @ rng.normal(size=(14, n_classes)) + 2 * rng.normal(size=(RECORDS, n_classes))).argmax(axis=1)
    return Records("continuous", x, y, n_classes, Provenance("", ""))


def cases() -> Iterator[tuple[str, Records, DecisionTree, bool]]:
    """Yield name, records, model, and whether each request has a seed of its own."""
    thirty = DecisionTree(max_leaf_nodes=None, min_samples_leaf=30)
    adult = Adult().load()
    for records, name in ((adult, "Adult"), (continuous(2), "continuous"), (continuous(10), "continuous, 10 classes")):
        yield f"{name}, 10 leaves", records, DecisionTree(), False
        yield f"{name}, leaf >= 30", records, thirty, False
    yield "Adult, 10 leaves, init: fresh", adult, DecisionTree(), True


def seconds(work: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, records: Records, model: DecisionTree, fresh: bool) -> dict[str, Any]:
    """Measure one case: both ways in turn, after one call of each to warm up."""
    base = TrainingSet.of(records, np.random.default_rng(1).permutation(len(records))[:RECORDS])
    data = [base.after(Step(base.ids[[k]])) for k in range(REQUESTS)]
    tasks = [FitTask(each, Seeds(k if fresh else 7, 0, 0)) for k, each in enumerate(data)]

    def fast() -> Any:
        return model.fit_many(tasks, "cpu")

    def reference() -> Any:
        return [model.fit(task, "cpu") for task in tasks[:REFERENCES]]

    fast(), reference()
    times = np.array([(seconds(reference) / REFERENCES, seconds(fast) / REQUESTS) for _ in range(ROUNDS)])
    slow, quick = (statistics.median(column) for column in times.T)
    return {"name": name, "ratio": slow / quick, "reference_per_s": 1 / slow, "fast_per_s": 1 / quick}


def rows() -> list[dict[str, Any]]:
    """Return one row per case: trees per second both ways, and their ratio."""
    return [row(*case) for case in cases()]


if __name__ == "__main__":
    for each in rows():
        print("{name:32} {ratio:6.1f}x  {reference_per_s:8.0f}/s  {fast_per_s:8.0f}/s".format(**each))  # noqa: T201
