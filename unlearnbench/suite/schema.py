"""The JSON Schema of suite files, by which editors complete and check them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from unlearnbench.core.errors import UserError
from unlearnbench.core.limits import SIZE
from unlearnbench.core.pools import SIZES
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.parameters import Parameter, parameters
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.suite.entries import ADVERSARY_SIZES, Ranges
from unlearnbench.suite.keys import KEYS, KINDS, MOST_SEED, MOST_VERSION, NAME, REQUIRED, SHADOWED
from unlearnbench.suite.model import AXES, EngineChoice
from unlearnbench.suite.tune import MOST_EPISODES, MOST_TRIALS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string", "minLength": 1}
PLAIN: Schema = {"type": ["string", "number", "boolean"]}


def suite_schema(registry: Registry) -> Schema:
    """Return the schema (draft 2020-12) of suites that use the plug-ins of a registry.

    A suite that violates it does not load. Only loading checks that entries are distinct, that exclusions name listed
    plug-ins, and what constructors reject.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "unlearnbench suite",
        **_object(_properties(), REQUIRED),
        "$defs": {
            "sizes": _sizes(SIZES),
            "adversary": _sizes(ADVERSARY_SIZES),
            "exclusion": _exclusion(registry),
            "tune": _tune(),
            "trial": _trial(),
            **{kind: _entry(kind, registry) for kind in KINDS},
        },
    }


def _properties() -> Schema:
    types: Mapping[str, Schema] = {
        "suite": {**TEXT, "pattern": f"^{NAME.pattern}$"},
        "version": _integer(1, MOST_VERSION),
        "description": TEXT,
        "seeds": _list(_integer(0, MOST_SEED)),
        **{f"{kind}s": _list({"$ref": f"#/$defs/{kind}"}) for kind in KINDS},
        "episodes": {"$ref": "#/$defs/sizes"},
        "adversary": {"$ref": "#/$defs/adversary"},
        "tune": {"$ref": "#/$defs/tune"},
        "trials": _list({"$ref": "#/$defs/trial"}),
        "exclude": _list({"$ref": "#/$defs/exclusion"}),
        "plugins": _list({**TEXT, "pattern": r"\.py$"}),
        "engine": {"enum": list(get_args(EngineChoice))},
        "device": {"enum": list(get_args(Device))},
        "timeout": {"type": "number", "exclusiveMinimum": 0},
        "memory": {**TEXT, "pattern": SIZE},
    }
    return {
        name: types[name] | {"description": key.description} | ({} if key.default is None else {"default": key.default})
        for name, key in KEYS.items()
    }


def _tune() -> Schema:
    sizes = {
        "trials": _integer(1, MOST_TRIALS),
        "originals": _integer(1, MOST_EPISODES),
        "requests": _integer(1, MOST_EPISODES),
        "passes": {"type": "number", "exclusiveMinimum": 0},
        "knobs": {"type": "boolean"},
    }
    ends: Schema = {name: {"type": "number"} for name in ("low", "high")}
    span = _object({**ends, "log": {"type": "boolean"}}, ("low", "high"))
    values = {"anyOf": [_list(PLAIN), span]}
    return _object(
        {**sizes, "space": {"type": "object", "additionalProperties": values, "minProperties": 1}}, ("space",)
    )


def _trial() -> Schema:
    told = {"objective": {"type": "number", "minimum": 0, "maximum": 1}, "chosen": {"type": "boolean"}, "reason": TEXT}
    values = {"type": "object", "additionalProperties": PLAIN}
    given = {"unlearner": TEXT, "trial": _integer(1, MOST_TRIALS), "values": values}
    return _object(given | told, tuple(given))


def _object(properties: Schema, required: tuple[str, ...] = ()) -> Schema:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": list(required)} if required else {})


def _sizes(ranges: Ranges) -> Schema:
    return _object({name: _integer(low, high) for name, (low, high) in ranges.items()})


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def _integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def _exclusion(registry: Registry) -> Schema:
    axes = {axis: {"enum": [found.name for found in registry.all(axis)]} for axis in AXES}
    return {**_object(axes | {"because": TEXT}, ("because",)), "minProperties": 2}


def _entry(kind: Kind, registry: Registry) -> Schema:
    offered = [(found, _params(found)) for found in registry.all(kind)]
    short = [found.name for found, params in offered if "required" not in params]
    long = [_long_entry(found, params) for found, params in offered]
    return {"anyOf": [*([{"enum": short}] if short else []), *long] or [False]}


def _long_entry(found: Registered, params: Schema) -> Schema:
    properties: Schema = {"name": {"const": found.name}, "params": params}
    if found.kind in SHADOWED:
        properties |= {"shadow": {"$ref": f"#/$defs/{found.kind}"}}
    if found.kind == "dataset":
        properties |= {"label": TEXT, "episodes": {"$ref": "#/$defs/sizes"}, "adversary": {"$ref": "#/$defs/adversary"}}
    required = ("name", "params") if "required" in params else ("name",)
    return _object(properties, required) | {"description": found.plugin.summary}


def _params(found: Registered) -> Schema:
    """Return the schema of a plug-in's parameters; any object for a plug-in that cannot be loaded."""
    try:
        cls = found.load()
        known = parameters(cls)
    except UserError:
        return {"type": "object"}
    hints = get_type_hints(cls if is_dataclass(cls) else cls.__init__, include_extras=True)  # type: ignore[misc]  # signature only
    required = tuple(parameter.name for parameter in known if parameter.required)
    return _object({parameter.name: _param(parameter, hints[parameter.name]) for parameter in known}, required)


def _param(parameter: Parameter, hint: Any) -> Schema:
    from pydantic import TypeAdapter

    schema = TypeAdapter(hint).json_schema()
    if "$defs" in schema:  # its references are relative to its own root
        schema = {}
    described = {"description": parameter.description} if parameter.description else {}
    return schema | described | ({} if parameter.required else {"default": parameter.default})
