"""The JSON Schema: takes what loads, refuses what an editor can know to be wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registered, Registry, Source, load_registry
from unlearnbench.suite.find import standard_suites
from unlearnbench.suite.keys import KEYS
from unlearnbench.suite.model import Suite
from unlearnbench.suite.schema import suite_schema
from unlearnbench.suite.yaml import load_yaml

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
SUITE: dict[str, Any] = {
    "suite": "mine",
    "version": 1,
    "datasets": ["adult", {"name": "digits", "episodes": {"records": 400}}],
    "models": [{"name": "decision-tree", "params": {"layers": [8], "rate": 1, "criterion": "gini"}}],
    "unlearners": ["retrain"],
    "scenarios": [{"name": "group", "params": {"size": 3}}],
    "attacks": ["sorted-diff"],
    "exclude": [{"dataset": "digits", "because": "why"}],
}


def is_type(value: object, name: str) -> bool:
    if name in ("integer", "number"):
        return isinstance(value, int if name == "integer" else int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def valid(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """Check a value by the keywords of draft 2020-12 that the schema uses; any other keyword is an error."""
    if isinstance(schema, bool):
        return schema
    checks: dict[str, Callable[[Any], bool]] = {
        "$ref": lambda to: valid(value, root["$defs"][to.removeprefix("#/$defs/")], root),
        "type": lambda name: is_type(value, name),
        "const": lambda constant: value == constant,
        "enum": lambda options: value in options,
        "anyOf": lambda options: any(valid(value, option, root) for option in options),
        "minimum": lambda bound: value >= bound,
        "maximum": lambda bound: value <= bound,
        "exclusiveMinimum": lambda bound: value > bound,
        "exclusiveMaximum": lambda bound: value < bound,
        "minItems": lambda n: len(value) >= n,
        "maxItems": lambda n: len(value) <= n,
        "minLength": lambda n: len(value) >= n,
        "minProperties": lambda n: len(value) >= n,
        "pattern": lambda pattern: re.search(pattern, value) is not None,
        "required": lambda names: set(names) <= set(value),
        "items": lambda item: all(valid(part, item, root) for part in value),
        "prefixItems": lambda items: all(valid(part, item, root) for part, item in zip(value, items, strict=False)),
        "properties": lambda of: all(valid(value[name], of[name], root) for name in of if name in value),
        "additionalProperties": lambda open_: open_ or set(value) <= set(schema.get("properties", ())),
    }
    notes = {"$schema", "$defs", "title", "description", "default"}
    ordered = sorted(set(schema) - notes, key=lambda keyword: keyword != "type")  # bounds mean nothing on other types
    return all(checks[keyword](schema[keyword]) for keyword in ordered)


@pytest.fixture(scope="module")
def schema(registry: Registry) -> dict[str, Any]:
    return suite_schema(registry)


def test_it_takes_a_suite(schema: dict[str, Any]) -> None:
    assert valid(SUITE, schema, schema)


def test_it_takes_what_to_dict_gives(schema: dict[str, Any], load: Callable[[str], Suite]) -> None:
    assert valid(load(json.dumps(SUITE)).to_dict(), schema, schema)


@pytest.mark.parametrize(
    "change",
    [
        {"modles": ["decision-tree"]},
        {"suite": "Mine"},
        {"version": 0},
        {"seeds": []},
        {"seeds": [-1]},
        {"datasets": ["adlut"]},
        {"datasets": [{"name": "adult", "episodes": {"records": 1}}]},
        {"models": [{"name": "decision-tree", "episodes": {}}]},
        {"models": [{"name": "decision-tree", "params": {"max_leaf_node": 3}}]},
        {"models": [{"name": "decision-tree", "params": {"max_leaf_nodes": "ten"}}]},
        {"models": [{"name": "decision-tree", "params": {"max_leaf_nodes": 0}}]},
        {"models": [{"name": "decision-tree", "params": {"criterion": "log"}}]},
        {"models": [{"params": {}}]},
        {"scenarios": ["group"]},
        {"scenarios": [{"name": "group"}]},
        {"scenarios": [{"name": "group", "params": {}}]},
        {"exclude": [{"because": "why"}]},
        {"exclude": [{"model": "decision-tree"}]},
        {"exclude": [{"model": "decision-tre", "because": "why"}]},
        {"plugins": ["mine.txt"]},
        {"engine": "swift"},
        {"device": "gpu"},
    ],
    ids=str,
)
def test_it_refuses_what_does_not_load(
    schema: dict[str, Any], load: Callable[[str], Suite], change: dict[str, object]
) -> None:
    assert not valid(SUITE | change, schema, schema)
    with pytest.raises(UserError):
        load(json.dumps(SUITE | change))


@pytest.mark.parametrize("key", ["suite", "version", "datasets", "models", "unlearners", "attacks"])
def test_it_refuses_a_suite_without_a_required_key(schema: dict[str, Any], key: str) -> None:
    assert not valid({name: value for name, value in SUITE.items() if name != key}, schema, schema)


def test_it_knows_every_key(schema: dict[str, Any]) -> None:
    assert set(schema["properties"]) == set(KEYS)


def test_a_plugin_that_cannot_be_loaded_takes_any_parameters(registry: Registry) -> None:
    broken = AttackPlugin(name="broken", summary="Is not there.", factory="no_such_module:Attack")
    schema = suite_schema(Registry((*registry.all(), Registered(broken, Source("file", "broken.py")))))
    assert valid(SUITE | {"attacks": [{"name": "broken", "params": {"anything": 1}}]}, schema, schema)


def test_a_kind_without_plugins_takes_no_entry(registry: Registry) -> None:
    schema = suite_schema(Registry(tuple(found for found in registry.all() if found.kind != "attack")))
    assert not valid(SUITE, schema, schema)


def test_it_takes_all_standard_suites() -> None:
    schema = suite_schema(load_registry())
    for path in standard_suites().values():
        assert valid(load_yaml(path.read_text(), str(path)).data, schema, schema)
