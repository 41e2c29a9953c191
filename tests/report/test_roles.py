from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from unlearnbench.hooks.registry import Registry, load_registry
from unlearnbench.report.roles import PluginRole, Roles
from unlearnbench.run.validity import ValidityTests
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import PluginRef

PLUGIN = """
from unlearnbench import AttackPlugin, ScoreAttack, hookimpl

class Mine(ScoreAttack):
    def score(self, view):
        raise NotImplementedError

@hookimpl
def unlearnbench_attacks():
    yield AttackPlugin(name="mine", summary="A control.", factory=Mine, role="control", versions="unlearned")
"""
SUITE = """
suite: small
version: 1
datasets: [breast-cancer]
models: [decision-tree]
unlearners: [retrain, finetune, bad-teacher, none]
attacks: [mine, euclidean, classical]
episodes: {originals: 5, requests: 2, records: 60}
"""


@pytest.fixture
def roles(tmp_path: Path) -> Roles:
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "small.yaml").write_text(SUITE)
    registry = load_registry([tmp_path / "mine.py"], discover=False)
    suite, _ = load_suite(tmp_path / "small.yaml", registry)
    return Roles.of(suite, registry)


def test_roles_are_those_that_the_records_of_plugins_declare(roles: Roles) -> None:
    assert roles.plugins["attack"] == {
        "mine": PluginRole("control", "unlearned"),
        "euclidean": PluginRole("entry", "both"),
        "classical": PluginRole("baseline", "original"),
    }
    assert roles.plugins["unlearner"]["retrain"] == PluginRole("baseline")
    assert roles.plugins["defense"] == {"none": PluginRole("baseline")}


def test_roles_are_read_back_as_they_were_written(roles: Roles) -> None:
    assert Roles.from_dict(roles.to_dict()) == roles  # type: ignore[arg-type]  # JSON


def test_what_an_unlearner_can_read_is_what_its_class_enforces(roles: Roles) -> None:
    access = {name: role.access for name, role in roles.plugins["unlearner"].items()}
    assert access == {"retrain": "", "finetune": "R", "bad-teacher": "F, R, no labels", "none": "no set"}
    again = Roles.from_dict(roles.to_dict())  # type: ignore[arg-type]  # JSON
    assert {name: role.access for name, role in again.plugins["unlearner"].items()} == access
    assert PluginRole(sees=()).access == "no set"


def test_a_board_of_before_access_was_written_does_not_differ_from_its_plugins(
    roles: Roles, registry: Registry
) -> None:
    older = Roles({"unlearner": {name: PluginRole(role.role) for name, role in roles.plugins["unlearner"].items()}})
    assert older.changed(registry) == []


def test_a_plugin_that_is_not_listed_is_an_entry_and_can_be_found_out() -> None:
    ref = PluginRef("attack", "unknown", {})
    assert Roles().of_plugin(ref) == PluginRole("entry")
    axes = {axis: PluginRef(axis, "x", {}) for axis in ("dataset", "model", "unlearner", "scenario", "defense")}
    known = {axis: {"x": PluginRole()} for axis in axes}
    assert Roles(known).missing([{**axes, "attack": ref}]) == ["attack unknown"]


@pytest.mark.parametrize(("role", "versions"), [("winner", None), ("entry", "all")])
def test_words_that_no_record_can_declare_are_an_error(role: str, versions: str | None) -> None:
    with pytest.raises(ValueError, match="not a role and versions"):
        PluginRole(role, versions)  # type: ignore[arg-type]  # that is the point


def test_whether_an_attack_tests_the_sample_is_true_or_false() -> None:
    with pytest.raises(ValueError, match="tests_sample must be true or false, got 'yes'"):
        PluginRole("control", "none", "yes")  # type: ignore[arg-type]  # that is the point


def test_the_attacks_that_test_the_sample_are_known_by_name(registry: Registry) -> None:
    attacks = {entry.name: entry.plugin for entry in registry.all("attack")}
    refs = tuple(PluginRef("attack", name, {}) for name in attacks)
    roles = Roles.of(SimpleNamespace(axes={"attack": refs}), registry)  # type: ignore[arg-type]  # as much as is read
    for made in (roles, Roles.from_dict(roles.to_dict())):  # type: ignore[arg-type]  # JSON
        tests = ValidityTests.of(made.plugins["attack"], registry)
        assert tests == ValidityTests.of(attacks, registry)  # type: ignore[arg-type]  # attacks
        assert tests.sample == {"blind"}
        assert tests.references == {"blind", "classical", "forgetting"}
        assert {"sorted-diff", "score-diff"} < tests.tested
        assert tests.deleting_nothing == {"none", "noise-floor"}


def test_every_suite_has_something_to_compare_with(registry: Registry) -> None:
    """Tables take undefended and retrained rows by role, so each axis needs a built-in baseline."""
    for kind in ("attack", "unlearner", "defense"):
        assert any(entry.plugin.role == "baseline" for entry in registry.all(kind))
