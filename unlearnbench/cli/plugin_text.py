"""Plug-ins as plain data and as text: how ``unlearnbench plugins`` lists them and shows one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from unlearnbench.cli.output import echo, print_table
from unlearnbench.hooks.records import Kind, Plugin
from unlearnbench.hooks.registry import Registered, Registry, Source


def listing(registry: Registry, kind: Kind | None) -> dict[str, object]:
    """Return the plug-ins of a kind or of all, the observers, and what could not be loaded, as plain data."""
    return {
        "plugins": [_record(plugin) for plugin in registry.all(kind)],
        "observers": [{"hook": seen.hook, "source": asdict(seen.source)} for seen in registry.observers.observers],
        "broken": [asdict(broken) for broken in registry.broken],
    }


def print_listing(registry: Registry, kind: Kind | None) -> None:
    """Print one line for each plug-in, observer and source that could not be loaded."""
    rows: list[tuple[str, ...]] = [
        (plugin.kind, plugin.name, plugin.plugin.summary, _from(plugin.source)) for plugin in registry.all(kind)
    ]
    if kind is None:
        observers = registry.observers.observers
        rows += [("observer", seen.hook, "is called during a run", _from(seen.source)) for seen in observers]
    rows += [("broken", "-", broken.error, _from(broken.source)) for broken in registry.broken]
    print_table(rows, headers=("kind", "name", "summary", "from"))


def _from(source: Source) -> str:
    return "built-in" if source.kind == "builtin" else str(source)


def _record(registered: Registered) -> dict[str, Any]:
    """Return a plug-in's record and source as plain data. ``about`` holds the fields that only its kind has."""
    plugin = registered.plugin
    common = {field.name for field in fields(Plugin)}
    return {
        "kind": registered.kind,
        "name": registered.name,
        "summary": plugin.summary,
        "reference": plugin.reference,
        "revision": plugin.revision,
        "about": {f.name: _plain(getattr(plugin, f.name)) for f in fields(plugin) if f.name not in common},
        "factory": registered.factory,
        "source": asdict(registered.source),
    }


def _plain(value: object) -> object:
    """Return ranges by their names as text, and all else as it is."""
    return {name: str(values) for name, values in value.items()} if isinstance(value, Mapping) else value


def details_of(registered: Registered) -> dict[str, Any]:
    """Return a plug-in's record, source, description and parameters as plain data. Imports its class."""
    from unlearnbench.hooks.parameters import parameters

    cls = registered.load()
    return {
        **_record(registered),
        "from": str(registered.source),
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "parameters": [asdict(parameter) for parameter in parameters(cls)],
    }


def print_details(details: dict[str, Any]) -> None:
    """Print what :func:`details_of` returns."""
    echo(f"{details['kind']} {details['name']}: {details['summary']}\n")
    about = {name: _text(value) for name, value in details["about"].items()}
    shown = {"reference": details["reference"], "revision": details["revision"], **about, "from": details["from"]}
    print_table([(name, value) for name, value in shown.items() if value != ""])
    if description := _without(details["description"], details["parameters"]):
        echo(f"\n{description}")
    if details["parameters"]:
        echo()
        print_table(
            [_parameter_row(p) for p in details["parameters"]], headers=("parameter", "type", "default", ""), width=60
        )
    else:
        echo("\nIt takes no parameters.")


def _without(description: str, parameters: list[dict[str, Any]]) -> str:
    """Return a docstring without the paragraphs on parameters, which are shown in a table."""
    documented = tuple(f"``{parameter['name']}``" for parameter in parameters if parameter["description"])
    return "\n\n".join(part for part in description.split("\n\n") if not part.startswith(documented))


def _parameter_row(parameter: dict[str, Any]) -> tuple[str, str, str, str]:
    default = "required" if parameter["required"] else _text(parameter["default"])
    return parameter["name"], parameter["type"], default, parameter["description"]


def _text(value: object) -> str:
    """Return a value as a suite writes it."""
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Mapping):
        value = [f"{name}: {each}" for name, each in value.items()]
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list | tuple) else str(value)
