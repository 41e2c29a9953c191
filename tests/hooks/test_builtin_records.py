"""What our own records claim holds for the classes that they name."""

from __future__ import annotations

import json

import pytest

from unlearnbench.core.attacks import Attack
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.defenses import Defense
from unlearnbench.core.metrics import Metric
from unlearnbench.core.models import TargetModel
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.hooks.parameters import build, parameters, resolve
from unlearnbench.hooks.records import AttackPlugin, Kind
from unlearnbench.hooks.registry import Registered, Registry, load_registry

BASES: dict[Kind, type] = {
    "dataset": Dataset,
    "model": TargetModel,
    "unlearner": Unlearner,
    "scenario": Scenario,
    "defense": Defense,
    "attack": Attack,
    "metric": Metric,
    "executor": object,
}
OURS = load_registry(discover=False).all()


@pytest.mark.parametrize("registered", OURS, ids=str)
def test_a_factory_is_a_class_of_its_kind_that_says_what_it_is(registered: Registered) -> None:
    cls = registered.load()
    assert issubclass(cls, BASES[registered.kind])
    assert vars(cls)["__doc__"]


@pytest.mark.parametrize("registered", OURS, ids=str)
def test_every_parameter_is_described(registered: Registered) -> None:
    assert [each.name for each in parameters(registered.load()) if not each.description] == []


@pytest.mark.parametrize("registered", OURS, ids=str)
def test_defaults_pass_their_own_checks(registered: Registered) -> None:
    assert not [parameter.name for parameter in parameters(registered.load()) if parameter.required]
    resolved = resolve(registered, {})
    assert resolved == resolve(registered, json.loads(json.dumps(resolved)))


def test_an_attack_declares_what_it_needs(registry: Registry) -> None:
    for registered in registry.all("attack"):
        attack, record = build(registered, {}), registered.plugin
        assert isinstance(attack, Attack)
        assert isinstance(record, AttackPlugin)
        needs = attack.needs
        declared = (record.versions, record.label, record.features)
        assert declared == (needs.versions, needs.label, needs.features), record.name
