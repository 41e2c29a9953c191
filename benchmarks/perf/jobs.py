"""Data that benchmarks train on, and the tasks of an original and of models that lack some of its records."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from unlearnbench.builtin.datasets.adult import Adult
from unlearnbench.builtin.datasets.digits import Digits
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.records import Order, Provenance, Records, Step, TrainingSet


@cache
def adult() -> Records:
    """Return Adult: 14 features, few distinct values each, two classes."""
    return Adult().load()


@cache
def digits() -> Records:
    """Return digits: 64 features, ten classes."""
    return Digits().load()


@cache
def continuous(n_classes: int = 2, n: int = 2000) -> Records:
    """Return made-up records of 14 features, no two values of a feature alike, classes that overlap."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 14))
    y = (x @ rng.normal(size=(14, n_classes)) + 2 * rng.normal(size=(n, n_classes))).argmax(axis=1)
    return Records("continuous", x, y, n_classes, Provenance("made up", "none"))


@cache
def visits(n: int = 2500, d: int = 168, n_classes: int = 9) -> Records:
    """Return made-up binary records as wide as location data: which of 168 places were visited."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    x = rng.random((n, d)) < rng.beta(1, 3, size=(n_classes, d))[y]
    return Records("visits", x.astype(np.float64), y, n_classes, Provenance("made up", "none"))


DATA: dict[str, Callable[[], Records]] = {
    "Adult": adult,
    "digits": digits,
    "continuous": continuous,
    "continuous, 10 classes": lambda: continuous(10),
    "visits": visits,
}


def episode(
    records: Records, n: int, k: int, forget: int = 1, order: Order = "slot", fresh: bool = False
) -> list[FitTask]:
    """Return the task of an original of ``n`` records and those of ``k`` requests that forget ``forget`` of them each.

    ``fresh``: each has seeds of its own.
    """
    rng = np.random.default_rng(1)
    data = TrainingSet.of(records, rng.permutation(len(records))[:n])
    steps = [Step(rng.choice(data.ids, size=forget, replace=False)) for _ in range(k)]
    sets = [data, *(data.after(step, order) for step in steps)]
    return [FitTask(each, Seeds(i, i, 0) if fresh else Seeds(7, 0, 0)) for i, each in enumerate(sets)]
