"""What decides a result is in its key, and nothing else is."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.core.models import TargetModel
from unlearnbench.hooks.records import Kind, UnlearnerPlugin
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.hooks.sources import Source
from unlearnbench.run.cells import Cell, CellGroup, EpisodeTask, Plan
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.keys import joined_key, json_fields
from unlearnbench.run.plan import make_plan
from unlearnbench.suite.model import PluginRef, Suite

if TYPE_CHECKING:
    from tests.run.conftest import Lab

SIZES = {"originals": 2, "requests": 3, "records": 80, "negatives": 10, "matched": 2, "retained": 4}
ONE = ("unlearner=retrain", "attack=sorted-diff")


def keys(plan: Plan, cells: bool = False) -> set[str]:
    return set(plan.cells) if cells else set(plan.episodes)


@pytest.mark.parametrize(
    "change",
    [
        {"datasets": ["digits"]},
        {"models": [{"name": "decision-tree", "params": {"max_leaf_nodes": 11}}]},
        {"models": ["logistic-regression"]},
        {"unlearners": [{"name": "retrain", "params": {"init": "fresh"}}]},
        {"scenarios": [{"name": "group", "params": {"size": 2}}]},
        {"seeds": [1]},
        *({"episodes": {**SIZES, name: SIZES[name] + 1}} for name in SIZES if name != "originals"),
    ],
    ids=str,
)
def test_what_decides_an_episode_changes_every_key(lab: Lab, change: dict[str, Any]) -> None:
    before = lab.plan(ONE[:1])
    after = lab.plan(ONE[:1], **change)
    assert keys(before).isdisjoint(keys(after))
    assert keys(before, cells=True).isdisjoint(keys(after, cells=True))


@pytest.mark.parametrize(
    "change",
    [
        {"attacks": [{"name": "sorted-diff", "params": {"model": "logistic-regression"}}]},
        {"attacks": [{"name": "sorted-diff", "params": {"sort_by": "unlearned"}}]},
        {"defenses": ["label-only"]},
        {"defenses": [{"name": "temperature", "params": {"temperature": 3.0}}]},
        {"metrics": ["auc"]},
        {"metrics": [{"name": "tpr-at-fpr", "params": {"fprs": [0.1]}}]},
    ],
    ids=str,
)
def test_what_decides_a_cell_changes_its_key_and_no_episodes(lab: Lab, change: dict[str, Any]) -> None:
    before, after = (next(iter(self.cells)) for self in (lab.plan(ONE), lab.plan(ONE, **change)))
    assert before != after
    assert keys(lab.plan(ONE)) == keys(lab.plan(ONE, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"version": 7},
        {"description": "Whatever."},
        {"defenses": ["none", "label-only"]},
        {"attacks": ["euclidean", "sorted-diff"]},
        {"unlearners": ["none", "retrain"]},
        {"models": [{"name": "decision-tree", "params": {"max_leaf_nodes": 10}}]},
        {"seeds": [3, 0]},
    ],
    ids=str,
)
def test_what_decides_nothing_changes_no_key(lab: Lab, change: dict[str, Any]) -> None:
    assert keys(lab.plan(ONE)) <= keys(lab.plan(ONE, **change))
    assert keys(lab.plan(ONE), cells=True) <= keys(lab.plan(ONE, **change), cells=True)


def test_the_number_of_originals_is_in_the_keys_of_cells_and_not_of_episodes(lab: Lab) -> None:
    few, more = lab.plan(ONE), lab.plan(ONE, episodes={**SIZES, "originals": 3})
    assert keys(few) < keys(more)
    assert len(keys(more)) == 6
    assert keys(few, cells=True).isdisjoint(keys(more, cells=True))


def test_the_order_of_metrics_changes_no_key(lab: Lab) -> None:
    orders = (["auc", "utility"], ["utility", "auc"])
    first, second = (keys(lab.plan(ONE, metrics=metrics), cells=True) for metrics in orders)
    assert first == second


def test_every_episode_and_cell_has_a_key_of_its_own(lab: Lab) -> None:
    plan = lab.plan(seeds=[0, 1], defenses=["none", "label-only"])
    assert len(plan.cells) == sum(len(group.cells) for group in plan.groups)
    assert len(plan.episodes) == sum(len(group.episodes) for group in plan.groups)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)
"""Plain data, as an identity may hold it."""


@given(st.dictionaries(st.text(), PLAIN, min_size=2), st.data())
def test_joined_fields_give_the_content_key_of_the_whole(identity: dict[str, object], data: st.DataObject) -> None:
    names = sorted(identity)
    cut = data.draw(st.integers(1, len(names) - 1))
    parts = [{name: identity[name] for name in part} for part in (names[:cut], names[cut:])]
    assert joined_key(*map(json_fields, parts)) == content_key(identity)


def episode_key(task: EpisodeTask, instances: PluginInstances) -> str:
    """Return the key of an episode from its whole identity."""
    axes = ("dataset", "model", "unlearner", "scenario", *(["defense"] if task.defense else []))
    return content_key(
        {
            "kind": "episode",
            "records": instances.records(task.dataset).sha256,
            "axes": {axis: instances.identity(getattr(task, axis)) for axis in axes},
            "sizes": {name: value for name, value in asdict(task.sizes).items() if name != "originals"},
            "side": task.side,
            "seed": task.seed,
            "engine": task.engine,
            "engine_revision": instances.make(task.model, TargetModel).engine_revision,
            "device": task.device,
            "original": task.original,
        }
    )


def cell_key(cell: Cell, group: CellGroup, instances: PluginInstances) -> str:
    """Return the key of a cell from its whole identity."""
    return content_key(
        {
            "kind": "cell",
            "target": [task.key for task in group.target],
            "shadow": [task.key for task in group.shadow],
            "metrics": sorted((instances.identity(ref) for ref in group.metrics), key=canonical_json),
            "defense": instances.identity(cell.defense),
            "attack": instances.identity(cell.attack),
            "baseline": instances.identity(baseline_ref(cell.attack, instances)),
        }
        | ({"entry": cell.dataset.label} if cell.dataset.named else {})
    )


def test_every_key_of_a_plan_is_the_content_key_of_the_whole_identity(lab: Lab) -> None:
    suite, registry = lab.load(
        datasets=["digits", {"name": "breast-cancer", "label": "more shadows", "adversary": {"originals": 3}}],
        models=["decision-tree", {"name": "decision-tree", "shadow": "logistic-regression"}],
        defenses=["none", {"name": "temperature", "params": {"temperature": 3.0}}, "batched-release"],
        seeds=[0, 5],
    )
    instances = PluginInstances(registry)
    plan = make_plan(suite, instances, "cpu")
    assert len(plan.groups) == 2 * 2 * 4 * 2 * 2
    for group in plan.groups:
        assert [task.key for task in group.episodes] == [episode_key(task, instances) for task in group.episodes]
        assert list(group.cells) == [cell_key(cell, group, instances) for cell in group.cells.values()]


def revised(registry: Registry, kind: Kind, name: str) -> Registry:
    """Return a registry in which one plug-in has a higher revision."""

    def raised(found: Registered) -> Registered:
        hit = (found.kind, found.name) == (kind, name)
        return replace(found, plugin=replace(found.plugin, revision=found.plugin.revision + 1)) if hit else found

    return replace(registry, plugins=tuple(map(raised, registry.plugins)))


def planned(suite: Suite, registry: Registry) -> Plan:
    return make_plan(suite, PluginInstances(registry), "cpu")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("dataset", "breast-cancer"), ("model", "decision-tree"), ("unlearner", "retrain"), ("scenario", "single")],
)
def test_a_revision_changes_the_keys_of_episodes_and_cells(lab: Lab, kind: Kind, name: str) -> None:
    suite, registry = lab.load()
    before, after = (planned(suite, found) for found in (registry, revised(registry, kind, name)))
    told = {key for key, task in before.episodes.items() if name in (getattr(task, kind).name,)}
    assert told
    assert told.isdisjoint(keys(after))
    others = keys(before) - told
    assert others <= keys(after)


@pytest.mark.parametrize(("kind", "name"), [("defense", "none"), ("attack", "sorted-diff"), ("metric", "auc")])
def test_a_revision_of_what_only_reads_changes_the_keys_of_cells(lab: Lab, kind: Kind, name: str) -> None:
    suite, registry = lab.load()
    before, after = (planned(suite, found) for found in (registry, revised(registry, kind, name)))
    assert keys(before) == keys(after)
    told = {key for key, cell in before.cells.items() if kind == "metric" or getattr(cell, kind).name == name}
    assert told
    assert told.isdisjoint(after.cells)


def test_a_revision_of_the_classical_baseline_changes_the_keys_of_all_that_is_measured_against_it(lab: Lab) -> None:
    suite, registry = lab.load()
    before, after = (planned(suite, found) for found in (registry, revised(registry, "attack", "classical")))
    assert set(before.cells).isdisjoint(after.cells)
    assert keys(before) == keys(after)


PLUGIN = """
from unlearnbench import AttackPlugin, Needs, ScoreAttack, hookimpl

class Mine(ScoreAttack):
    def score(self, view):
        return view.before[:, 0]

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="mine", summary="Mine.", factory=Mine)
"""


def test_the_code_of_a_plugin_file_is_in_the_keys_of_what_uses_it_only(lab: Lab) -> None:
    named: dict[str, Any] = {"attacks": ["mine", "sorted-diff"], "plugins": [lab.plugin(PLUGIN)]}
    before = lab.plan(**named)
    lab.plugin(PLUGIN + "# a comment\n")
    assert set(lab.plan(**named).cells) == set(before.cells), "a comment changes no result"
    lab.plugin(PLUGIN + "OTHER = True\n")
    after = lab.plan(**named)
    same = set(before.cells) & set(after.cells)
    assert keys(before) == keys(after)
    assert {cell.attack.name for cell in before.cells.values()} - {before.cells[key].attack.name for key in same} == {
        "mine"
    }


DATA = """
import numpy as np
from unlearnbench import Dataset, DatasetPlugin, Provenance, Records, hookimpl

class Noise(Dataset):
    def load(self):
        rng = np.random.default_rng({seed})
        y = np.arange(300) % 2
        return Records("noise", rng.normal(size=(300, 3)), y, 2, Provenance("made here", "CC0"))

@hookimpl
def unlearnbench_datasets():
    yield DatasetPlugin(name="noise", summary="Noise.", factory=Noise)
"""


def test_the_content_of_a_data_set_is_in_the_keys(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    named: dict[str, Any] = {"datasets": ["noise"], "plugins": [lab.plugin(DATA.format(seed=1))]}
    before = lab.plan(**named)
    original = PluginInstances.identity

    def without_source(self: PluginInstances, ref: PluginRef) -> dict[str, object]:
        return {**original(self, ref), "source": ""}

    monkeypatch.setattr(PluginInstances, "identity", without_source)  # so that only the content can tell them apart
    before = lab.plan(**named)
    lab.plugin(DATA.format(seed=2))
    assert keys(before).isdisjoint(keys(lab.plan(**named)))


def test_a_device_is_in_the_keys_of_models_that_use_one(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, registry = lab.load(models=["decision-tree", "mlp"])
    on_cpu = planned(suite, registry)
    monkeypatch.setattr("unlearnbench.run.settings.resolve_device", lambda device: device)
    on_gpu = make_plan(suite, PluginInstances(registry), "cuda")
    shared = keys(on_cpu) & keys(on_gpu)
    assert {on_cpu.episodes[key].model.name for key in shared} == {"decision-tree"}
    assert {task.device for task in on_gpu.episodes.values() if task.model.name == "mlp"} == {"cuda"}


def test_the_engine_and_its_revision_are_in_the_keys(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.has_fast_path", lambda *_: True)
    fast, reference = (lab.plan(ONE, engine=engine) for engine in ("auto", "reference"))
    assert {task.engine for task in fast.episodes.values()} == {"fast"}
    assert {task.engine for task in reference.episodes.values()} == {"reference"}
    assert keys(fast).isdisjoint(keys(reference))
    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.engine_revision", 1000)
    assert keys(lab.plan(ONE, engine="auto")).isdisjoint(keys(fast))


def test_an_engine_revision_belongs_to_one_kind_of_model(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    before = lab.plan(models=["decision-tree", "logistic-regression"])
    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.engine_revision", 2)
    after = lab.plan(models=["decision-tree", "logistic-regression"])
    kept = keys(before) & keys(after)
    assert {before.episodes[key].model.name for key in kept} == {"logistic-regression"}


def test_a_model_without_a_fast_path_has_one_engine(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unlearnbench.builtin.models.decision_tree.DecisionTree.has_fast_path", lambda *_: False)
    assert keys(lab.plan(ONE, engine="auto")) == keys(lab.plan(ONE, engine="reference"))


def unlearner(source: Source) -> Registry:
    plugin = UnlearnerPlugin(name="mine", summary="Mine.", factory="mine:Mine")
    return Registry((Registered(plugin, source),))


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source("builtin", "unlearnbench", "0.1.0"), ""),
        (Source("distribution", "mine", "1.2"), "1.2"),
        (Source("distribution", "mine", "1.2", "/somewhere", "abc"), "abc"),
        (Source("file", "mine.py", path="/somewhere/mine.py", sha256="def"), "def"),
    ],
)
def test_code_is_told_by_revision_version_or_content(source: Source, told: str) -> None:
    identity = PluginInstances(unlearner(source)).identity(PluginRef("unlearner", "mine", {"x": 1}))
    assert identity == {"name": "mine", "revision": 1, "params": {"x": 1}, "source": told}
