"""Who was asked is derived without training, and comes out as in the run, for every scenario."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from unlearnbench.core.observations import Observations
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import CellGroup
from unlearnbench.run.episodes import Episode
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import EpisodeWork
from unlearnbench.run.plan import make_plan
from unlearnbench.run.selection import Selection
from unlearnbench.submissions.derived import Derivation, QueriedRows, group_forget_sets
from unlearnbench.suite.load import load_suite

if TYPE_CHECKING:
    from tests.submissions.conftest import Packed

SUITE = """
suite: asked
version: 1
datasets: [breast-cancer]
models: [decision-tree, logistic-regression]
unlearners: [retrain]
scenarios:
  - single
  - {name: group, params: {size: 3}}
  - {name: sequence, params: {versions: 2}}
  - online
  - retained
  - {name: memorised, params: {share: 0.3}}
defenses: [none, {name: batched-release, params: {size: 2}}]
attacks: [euclidean]
episodes: {originals: 2, requests: 3, records: 60, negatives: 6, matched: 2, retained: 2}
engine: reference
device: cpu
"""


def test_the_derived_rows_are_those_of_the_run(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "asked.yaml"
    path.write_text(SUITE)
    suite, _ = load_suite(path, registry)
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, "cpu", Selection.parse(["unlearner=retrain"]))
    derivation = Derivation(instances)
    assert len(plan.groups) == 24
    for bench in plan.groups:
        episodes = made(bench, instances)
        real = Observations.concatenate([episode.observations for episode in episodes])
        labels = instances.records(bench.target[0].dataset).y
        named = QueriedRows.of(real).matched(2)
        nearest = derivation.side(bench.target)
        checksums = [episode.forget_sets for episode in episodes]
        assert derivation.forget_sets(replace(bench, shadow=())) == group_forget_sets(checksums)
        assert list(derivation.matched_problems(bench, nearest, named)) == []
        derived = nearest.with_matched(named, labels).rows
        for name in ("record", "label", "role", "position", "episode", "request"):
            assert np.array_equal(getattr(derived, name), getattr(real, name)), (bench.target[0].scenario, name)
        assert np.array_equal(derived.member, real.last_only().member)
        if bench.target[0].model.name == "logistic-regression":
            assert np.array_equal(nearest.matched(2), named), "without regions the nearest are the matched"


def made(bench: CellGroup, instances: PluginInstances) -> list[Episode]:
    """Train, unlearn and query, as a run does."""
    outcomes = map(EpisodeWork.here(instances), bench.target)
    return [episode for episode in outcomes if isinstance(episode, Episode)]


def test_a_derived_side_has_no_answers(packed: Packed) -> None:
    rows = Derivation(PluginInstances(packed.registry)).side(packed.plan.groups[0].target).rows
    assert rows.before.size == rows.after.size == 0
    assert {f.name for f in fields(rows)} >= {"role", "member"}


def test_nothing_is_written_to_derive(packed: Packed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Derivation(PluginInstances(packed.registry)).side(packed.plan.groups[0].target)
    assert list(tmp_path.iterdir()) == []
