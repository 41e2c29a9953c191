"""Random forests that lack some records each: many together against scikit-learn's, one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from comparing import Compare
from jobs import DATA, episode

from unlearnbench.builtin.models.random_forest import RandomForest
from unlearnbench.core.models import Fitted
from unlearnbench.engine.querying import query


@pytest.mark.parametrize(
    ("data", "trees", "forget", "queried"),
    [
        ("Adult", 100, 1, 0),
        ("Adult", 100, 1, 200),
        ("Adult", 100, 10, 0),
        ("Adult", 500, 1, 0),
        ("continuous", 100, 1, 0),
        ("continuous", 100, 10, 0),
    ],
)
def bench_forest(data: str, trees: int, forget: int, queried: int, compare: Compare) -> None:
    """Train 50 forests on 2,000 records less ``forget``, and query each on ``queried`` records."""
    records, model = DATA[data](), RandomForest(n_estimators=trees)
    tasks = episode(records, n=2000, k=50, forget=forget)[1:]

    def ask(models: Sequence[Fitted]) -> None:
        if queried:
            np.stack(list(query(models, records.x[:queried], records.n_classes)))

    compare(
        "random forest",
        f"{data}, {trees} trees, delete {forget}" + f", query {queried}" * bool(queried),
        reference=lambda: ask([model.fit(tasks[0], "cpu")]),
        fast=lambda: ask(model.fit_many(tasks, "cpu")),
        fast_models=len(tasks),
    )
