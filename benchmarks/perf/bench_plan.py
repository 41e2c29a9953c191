"""Planning suites of ever more cells, beside the plain way to compute the key of a cell: from its whole identity.

A plan is made as the verb ``plan`` makes it: data sets are loaded, sizes checked, keys computed, and what the store
lacks is counted. The rate is cells per second.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import pytest
from comparing import Compare

from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.run.cells import Cell, CellGroup, EpisodeTask, Plan
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.plan import make_plan
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite

SUITE = """
suite: plan
version: 1
seeds: {seeds}
datasets: [breast-cancer]
models: {models}
unlearners: [retrain, sisa, none, random-noise, noise-floor]
scenarios: [single, {{name: group, params: {{size: 2}}}}]
defenses: [none, label-only, top-k, temperature, {{name: temperature, params: {{temperature: 3.0}}}}]
attacks: [sorted-diff, direct-diff, sorted-concat, direct-concat, euclidean, classical, forgetting, random, blind,
          oracle-label]
episodes: {{originals: 10, requests: 20, records: 200, negatives: 20}}
device: cpu
"""
"""500 cells for each model and seed; no control is missing, so a plan adds none."""
PLAIN = 1000
"""Cells of which the plain way computes the keys."""
ONLY = ("attack=sorted-diff", "unlearner=retrain", "seed=3")


@pytest.mark.parametrize(("models", "seeds", "only"), [(2, 1, ()), (20, 10, ()), (50, 40, ()), (50, 40, ONLY)])
def bench_plan(models: int, seeds: int, only: tuple[str, ...], compare: Compare, tmp_path: Path) -> None:
    """Plan all cells of a suite, or those that ``--only`` leaves."""
    suite, instances = load(models, seeds, tmp_path)
    plain = make_plan(suite, instances, "cpu", Selection.parse(["seed=0", "model=decision-tree(max_leaf_nodes=2)"]))
    of, cells = 500 * models * seeds, math.prod(counts(suite, only))
    compare(
        "plan",
        f"{cells:,} cells of {of:,} by --only" if only else f"{cells:,} cells",
        reference=lambda: plain_keys(plain, instances),
        reference_models=PLAIN,
        fast=lambda: make_plan(suite, PluginInstances(instances.registry), "cpu", Selection.parse(only)).summary(
            Store(tmp_path / "store")
        ),
        fast_models=cells,
        rounds=1 if cells == 10**6 else 3,
        table="Plans",
    )


def load(models: int, seeds: int, folder: Path) -> tuple[Suite, PluginInstances]:
    """Return the suite with so many models and seeds, and its plug-ins."""
    trees = [{"name": "decision-tree", "params": {"max_leaf_nodes": 2 + i}} for i in range(models)]
    file = folder / "plan.yaml"
    file.write_text(SUITE.format(models=json.dumps(trees), seeds=list(range(seeds))), encoding="utf-8")
    suite, registry = load_suite(file)
    return suite, PluginInstances(registry)


def counts(suite: Suite, only: tuple[str, ...]) -> list[int]:
    """Return how many entries each axis and the seeds have; blind stays beside the attack that is selected."""
    kept = {text.partition("=")[0] for text in only}
    entries = [1 + (axis == "attack") if axis in kept else len(refs) for axis, refs in suite.axes.items()]
    return [*entries, 1 if "seed" in kept else len(suite.seeds)]


def plain_keys(plan: Plan, instances: PluginInstances) -> None:
    """Compute the keys of some cells, and of the episodes of their groups, each from its whole identity."""
    pairs = ((group, cell) for group in plan.groups * PLAIN for cell in group.cells.values())
    for number, (group, cell) in enumerate(islice(pairs, PLAIN)):
        content_key(cell_identity(group, cell, instances))
        if number % len(group.cells) == 0:
            for task in group.episodes:
                content_key(episode_identity(task, instances))


def cell_identity(group: CellGroup, cell: Cell, instances: PluginInstances) -> dict[str, object]:
    """Return all that decides the result of a cell."""
    return {
        "kind": "cell",
        "target": [task.key for task in group.target],
        "shadow": [task.key for task in group.shadow],
        "metrics": sorted(map(instances.identity, group.metrics), key=canonical_json),
        "defense": instances.identity(cell.defense),
        "attack": instances.identity(cell.attack),
        "baseline": instances.identity(baseline_ref(cell.attack, instances)),
    }


def episode_identity(task: EpisodeTask, instances: PluginInstances) -> dict[str, object]:
    """Return what decides an episode, but for the engine and the device, which are short."""
    refs = (task.dataset, task.model, task.unlearner, task.scenario)
    return {
        "kind": "episode",
        "records": instances.records(task.dataset).sha256,
        "axes": {ref.kind: instances.identity(ref) for ref in refs},
        "sizes": asdict(task.sizes),
        "side": task.side,
        "seed": task.seed,
        "original": task.original,
    }
