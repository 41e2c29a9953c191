"""Random forests that have some records deleted each: many together against scikit-learn's trees one by one.

Run with ``OMP_NUM_THREADS=1 python benchmarks/perf/bench_forest.py``; read the ratios, not the times.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Provenance, Records, Step, TrainingSet
from unlearnbench.engine.querying import query

REQUESTS, RECORDS, ASKED, ROUNDS = 50, 2000, 200, 3


def continuous() -> Records:
    """Return made-up records, no two values of a feature alike, classes that overlap."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(RECORDS, 14))
    y = x @ rng.normal(size=14) + 2 * rng.normal(size=RECORDS) > 0
    return Records("continuous", x, y.astype(np.int64), 2, Provenance("", ""))


def cases() -> Iterator[tuple[str, Records, int, int, bool]]:
    """Yield name, records, number of trees, records that a request deletes, and whether the models are asked too."""
    adult = Adult().load()
    yield "Adult, 100 trees, delete 1", adult, 100, 1, False
    yield "Adult, 100 trees, delete 1, ask 200", adult, 100, 1, True
    yield "Adult, 100 trees, delete 10", adult, 100, 10, False
    yield "Adult, 500 trees, delete 1", adult, 500, 1, False
    yield "continuous, 100 trees, delete 1", continuous(), 100, 1, False
    yield "continuous, 100 trees, delete 10", continuous(), 100, 10, False


def seconds(work: Callable[[], Any]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def row(name: str, records: Records, n_estimators: int, deleted: int, ask: bool) -> dict[str, Any]:
    """Measure one case: both ways in turn, after one call of each to warm up."""
    rng = np.random.default_rng(1)
    model, base = (
        RandomForest(n_estimators=n_estimators),
        TrainingSet.of(records, rng.permutation(len(records))[:RECORDS]),
    )
    data = [base.after(Step(rng.choice(base.ids, size=deleted, replace=False))) for _ in range(REQUESTS)]
    tasks = [FitTask(each, Seeds(7, 0, 0)) for each in data]
    x = records.x[:ASKED] if ask else records.x[:0]

    def fast() -> Any:
        models = model.fit_many(tasks, "cpu")
        return models[0].bank.log_posteriors(x, np.arange(REQUESTS)) if ask else models

    def reference() -> Any:
        models = [model.fit(tasks[0], "cpu")]
        return query(models, x) if ask else models

    fast(), reference()
    times = np.array([(seconds(reference), seconds(fast) / REQUESTS) for _ in range(ROUNDS)])
    slow, quick = (statistics.median(column) for column in times.T)
    return {"name": name, "ratio": slow / quick, "reference_per_s": 1 / slow, "fast_per_s": 1 / quick}


def rows() -> list[dict[str, Any]]:
    """Return one row per case: forests per second both ways, and their ratio."""
    return [row(*case) for case in cases()]


if __name__ == "__main__":
    for each in rows():
        print("{name:36} {ratio:6.1f}x  {reference_per_s:8.1f}/s  {fast_per_s:8.1f}/s".format(**each))  # noqa: T201
