"""Decision trees that lack one record each: many together against scikit-learn's, one by one."""

from __future__ import annotations

import pytest
from comparing import Compare
from jobs import DATA, episode

from unlearnbench.builtin.models.decision_tree import DecisionTree

SIZES = {
    "10 leaves": DecisionTree(),
    "leaf >= 30": DecisionTree(max_leaf_nodes=None, min_samples_leaf=30),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("data", ["Adult", "continuous", "continuous, 10 classes"])
def bench_tree(data: str, size: str, compare: Compare, fresh: bool = False) -> None:
    """Train 100 trees on 2,000 records less one."""
    model, tasks = SIZES[size], episode(DATA[data](), n=2000, k=100, fresh=fresh)[1:]
    compare(
        "decision tree",
        f"{data}, {size}" + ", init: fresh" * fresh,
        reference=lambda: [model.fit(task, "cpu") for task in tasks[:10]],
        reference_models=10,
        fast=lambda: model.fit_many(tasks, "cpu"),
        fast_models=len(tasks),
        rounds=5,
    )


def bench_tree_with_fresh_seeds(compare: Compare) -> None:
    """Give each tree its own order of features."""
    bench_tree("Adult", "10 leaves", compare, fresh=True)
