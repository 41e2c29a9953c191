"""The default experiment of Chen et al. 2021 on Adult, from the suite file to stored scores and estimates.

Ten target and ten shadow originals of 2,000 records, 20 deletions each: 420 models; then every attack of the paper and
its classical baseline, with a decision tree as attack model, and the blind test that stands in every table.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from comparing import Compare

from unlearnbench.builtin.executors.serial import SerialExecutor
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.runner import Runner
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.load import load_suite

ATTACKS = ("direct-concat", "sorted-concat", "direct-diff", "sorted-diff", "euclidean", "classical")
SUITE = """
suite: experiment
version: 1
seeds: [0]
datasets: [adult]
models: [{model}]
unlearners: [retrain]
attacks: [{attacks}]
episodes: {{originals: {originals}, requests: {requests}, records: 2000}}
engine: {engine}
"""
ORIGINALS, REQUESTS = 10, 20
SMALL = (1, 5)
"""Originals and requests a side, where all of them would take minutes."""


@pytest.mark.parametrize("model", ["decision-tree", "logistic-regression", "random-forest"])
def bench_experiment(model: str, compare: Compare, tmp_path: Path) -> None:
    """Plan, train, delete, ask, attack and measure, each time into a new store."""
    reference = SMALL if model == "random-forest" else (ORIGINALS, REQUESTS)
    whole, part = (originals * (1 + requests) for originals, requests in ((ORIGINALS, REQUESTS), reference))
    compare(
        "experiment",
        f"{model}, {ORIGINALS} + {ORIGINALS} originals x {REQUESTS} deletions",
        reference=lambda: run(model, "reference", *reference, tmp_path),
        reference_models=part / whole,  # by models trained, which is nearly all of its time
        fast=lambda: run(model, "auto", ORIGINALS, REQUESTS, tmp_path),
        rounds=1 if model == "random-forest" else 3,
        table="Experiments, end to end",
    )


def run(model: str, engine: str, originals: int, requests: int, folder: Path) -> None:
    """Run the experiment; nothing is read back from an earlier one."""
    file = folder / "experiment.yaml"
    text = SUITE.format(model=model, attacks=", ".join(ATTACKS), originals=originals, requests=requests, engine=engine)
    file.write_text(text, encoding="utf-8")
    suite, registry = load_suite(file)
    chosen = Selection({"unlearner": frozenset({"retrain"}), "attack": frozenset(ATTACKS)})
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, "cpu", chosen)
    with TemporaryDirectory(dir=folder) as store:
        outcome = Runner(instances, Store(Path(store)), SerialExecutor(), show_progress=False).run(plan)
    if outcome.failed:
        raise RuntimeError(f"{outcome.failed} cells of the experiment failed")
