"""How the cost of a model changes with the number of models that are trained together, and of records.

What models share is paid once, so many cost less each; where they share nothing, the cost stays.
"""

from __future__ import annotations

import pytest
from comparing import Compare
from jobs import adult, episode

from unlearnbench.builtin.models.decision_tree import DecisionTree
from unlearnbench.builtin.models.logistic_regression import LogisticRegression
from unlearnbench.builtin.models.mlp.model import MLP
from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.models import TargetModel

MODELS: dict[str, tuple[TargetModel, int]] = {
    "logistic regression": (LogisticRegression(), 10_000),
    "decision tree": (DecisionTree(), 10_000),
    "random forest": (RandomForest(n_estimators=100), 1000),
    "MLP": (MLP(hidden=(32,), epochs=3), 1000),
}
"""Each kind, and how many are trained together at most: ten times as many would take minutes."""


@pytest.mark.parametrize(
    ("kind", "k"), [(kind, k) for kind, (_, most) in MODELS.items() for k in (10, 100, 1000, 10_000) if k <= most]
)
def bench_more_models(kind: str, k: int, compare: Compare) -> None:
    """Train ever more models on 2,000 records less one."""
    compare_kind(kind, 2000, k, compare, "Growth with the number of models")


@pytest.mark.parametrize("n", [500, 2000, 8000, 20_000])
@pytest.mark.parametrize("kind", MODELS)
def bench_more_records(kind: str, n: int, compare: Compare) -> None:
    """Train 50 models on ever more records, less one."""
    compare_kind(kind, n, 50, compare, "Growth with the number of records")


def compare_kind(kind: str, n: int, k: int, compare: Compare, table: str) -> None:
    """Compare both ways on ``k`` models of ``n`` records of Adult."""
    (model, _), tasks = MODELS[kind], episode(adult(), n, k)[1:]
    compare(
        kind,
        f"{k:,} models, {n:,} records",
        reference=lambda: model.fit(tasks[0], "cpu"),
        fast=lambda: model.fit_many(tasks, "cpu"),
        fast_models=k,
        table=table,
    )
