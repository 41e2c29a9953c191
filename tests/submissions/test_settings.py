"""Engines and devices: a submission is planned with those that it claims, a re-run with those that are here."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.settings import KnownSettings
from unlearnbench.submissions.settings import claimed_settings, settings_here, settings_of
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite

SUITE = """
suite: settings
version: 1
seeds: [0]
datasets: [breast-cancer]
models: [decision-tree, mlp, {name: lightgbm, shadow: mlp}]
unlearners: [retrain]
attacks: [euclidean]
episodes: {originals: 2, requests: 2, records: 60, negatives: 5}
"""


@pytest.fixture(scope="module")
def instances(registry: Registry) -> PluginInstances:
    return PluginInstances(registry)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Suite:
    path = tmp_path_factory.mktemp("settings") / "settings.yaml"
    path.write_text(SUITE)
    return load_suite(path, registry)[0]


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(device: str) -> str:
        if device != "cpu":
            raise UserError(f"{device} is not here")
        return device

    monkeypatch.setattr("unlearnbench.submissions.settings.resolve_device", resolve)


def document(*claims: tuple[str, str, str], shadow: tuple[str, str] | None = None) -> Any:
    """Return what a submission says of its models: label, engine, device."""

    def setting(engine: str, device: str) -> SimpleNamespace:
        return SimpleNamespace(engine=engine, device=device)

    groups = [
        SimpleNamespace(model=model, engine=engine, device=device, shadow=setting(*shadow) if shadow else None)
        for model, engine, device in claims
    ]
    return SimpleNamespace(groups=groups)


def by_name(settings: KnownSettings, suite: Suite) -> dict[str, tuple[str, str]]:
    return {ref.label: settings[ref.key] for ref in suite.models}


def planned(suite: Suite, instances: PluginInstances, settings: KnownSettings | None = None) -> Plan:
    return make_plan(suite, instances, "cpu", known=settings)


def test_a_claim_is_planned_whether_or_not_the_device_is_here(suite: Suite, instances: PluginInstances) -> None:
    claimed = claimed_settings(document(("mlp", "fast", "cuda")), suite, instances)
    assert by_name(claimed, suite)["mlp"] == ("fast", "cuda")
    here = settings_here(claimed, suite, instances)
    assert by_name(here, suite)["mlp"] == ("fast", "cpu")
    assert (
        planned(suite, instances, claimed)
        .cells.keys()
        .isdisjoint(
            key for key, cell in planned(suite, instances, here).cells.items() if cell.model.name != "decision-tree"
        )
    )


def test_what_a_model_cannot_have_is_what_it_can_have(suite: Suite, instances: PluginInstances) -> None:
    label = suite.models[2].label
    claims = document(("decision-tree", "fast", "mps"), (label, "fast", "cpu"), ("unknown", "fast", "cuda"))
    claimed = by_name(claimed_settings(claims, suite, instances), suite)
    assert (claimed["decision-tree"], claimed[label]) == (("fast", "cpu"), ("reference", "cpu"))


def test_shadow_models_have_settings_of_their_own(suite: Suite, instances: PluginInstances) -> None:
    claims = document((suite.models[2].label, "reference", "cpu"), shadow=("reference", "cuda"))
    plan = planned(suite, instances, claimed_settings(claims, suite, instances))
    group = next(group for group in plan.groups if group.target[0].model.name == "lightgbm")
    assert settings_of(group) == {"target": ("reference", "cpu"), "shadow": ("reference", "cuda")}


def test_the_settings_of_this_machine_give_its_own_keys(suite: Suite, instances: PluginInstances) -> None:
    own = planned(suite, instances)
    groups = [(group.target[0], group.shadow[0]) for group in own.groups]
    claims = document(*((target.model.label, target.engine, target.device) for target, _ in groups))
    for part, (_, shadow) in zip(claims.groups, groups, strict=True):
        part.shadow = SimpleNamespace(engine=shadow.engine, device=shadow.device)
    claimed = claimed_settings(claims, suite, instances)
    assert planned(suite, instances, claimed).cells.keys() == own.cells.keys()
    assert settings_here(claimed, suite, instances) == claimed
