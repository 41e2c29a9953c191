"""The leak measured on linear models and trees does not depend on the engine that trained them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.results import Row, collect
from unlearnbench.run.runner import Runner
from unlearnbench.run.store import Store
from unlearnbench.suite.load import load_suite

SUITE = """
suite: engines
version: 1
seeds: [0, 1]
datasets: [adult]
models: [{model}]
unlearners: [{unlearner}]
attacks: [euclidean, score-diff]
metrics: [auc]
engine: {engine}
episodes: {{originals: 5, requests: 10, records: 400}}
"""


def rows(folder: Path, engine: str, model: str, unlearner: str) -> list[Row]:
    file = folder / "engines.yaml"
    file.write_text(SUITE.format(model=model, unlearner=unlearner, engine=engine))
    suite, registry = load_suite(file, load_registry(discover=False))
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, "cpu")
    wanted = {"reference": {"reference"}, "auto": {"fast"}}
    assert {task.engine for task in plan.episodes.values()} == wanted[engine]
    store = Store(folder / engine)
    Runner(instances, store, SerialExecutor(), show_progress=False).run(plan)
    return [row for row in collect(plan, store) if row.names["unlearner"] == unlearner and row.seed is not None]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "unlearner"),
    [
        ("logistic-regression", "retrain"),
        ("logistic-regression", "sisa"),
        ("decision-tree", "retrain"),
        ("decision-tree", "sisa"),
    ],
)
def test_both_engines_measure_the_same_leak(tmp_path: Path, model: str, unlearner: str) -> None:
    fast, reference = (rows(tmp_path, engine, model, unlearner) for engine in ("auto", "reference"))
    compared = [
        (f, r) for f, r in zip(fast, reference, strict=True) if f.names["attack"] in ("euclidean", "score-diff")
    ]
    assert len(compared) == 4
    gaps = []
    for f, r in compared:
        assert (f.names, f.seed) == (r.names, r.seed)
        ours, theirs = f.metrics["auc"], r.metrics["auc"]
        assert ours.low < theirs.high  # type: ignore[operator] # five originals have an interval
        assert theirs.low < ours.high  # type: ignore[operator] # five originals have an interval
        gaps.append(ours.value - theirs.value)  # type: ignore[operator] # defined where there is an interval
    # Trees of the two engines differ where splits tie; solutions of one problem hardly do. Forests are left out: keyed
    # by node, they lack the noise that the reference's feature draws have below a changed split, and leak more.
    assert abs(np.mean(gaps)) < (0.005 if model == "logistic-regression" else 0.03)
