"""Logistic regression with records left out: whole episodes, each an original and then its requests.

Both ways start clean: the original's solution and its Hessian's inverse are part of what is timed.
"""

from __future__ import annotations

import pytest
from comparing import Compare
from jobs import DATA, episode

from unlearnbench.builtin.models.logistic_regression import LogisticRegression

REFERENCE_FITS = 5  # of the k + 1: they all take the same time


@pytest.mark.parametrize(
    ("data", "n", "k", "forget"),
    [
        ("Adult", 2000, 20, 1),
        ("Adult", 2000, 100, 1),
        ("Adult", 10_000, 100, 1),
        ("digits", 1500, 20, 1),
        ("digits", 1500, 100, 1),
        ("digits", 1500, 20, 10),
        ("visits", 2000, 20, 1),
        ("visits", 2000, 100, 1),
    ],
)
def bench_logistic(data: str, n: int, k: int, forget: int, compare: Compare) -> None:
    """Train an original on ``n`` records, then ``k`` models that lack ``forget`` of them."""
    records, model = DATA[data](), LogisticRegression()
    tasks = episode(records, n, k, forget)
    compare(
        "logistic regression",
        f"{data} {n:,} x {records.x.shape[1]}, {records.n_classes} classes, {k} requests, delete {forget}",
        reference=lambda: [model.fit(task, "cpu") for task in tasks[:REFERENCE_FITS]],
        reference_models=REFERENCE_FITS,
        fast=lambda: [model.fit_many(tasks[:1], "cpu"), model.fit_many(tasks[1:], "cpu")],
        fast_models=len(tasks),
    )
