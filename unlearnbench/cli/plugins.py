"""``unlearnbench plugins``: what plug-ins there are, what one is and takes, is it sound, and how to start one."""

from __future__ import annotations

import inspect
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearnbench.cli.options import AsJson, DisabledPlugins, PluginFiles
from unlearnbench.cli.output import epilog, new_app, print_json, print_table
from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.hooks.records import RECORDS, Kind, Plugin
from unlearnbench.hooks.registry import Registered, Registry, Source, load_registry

if TYPE_CHECKING:
    from unlearnbench.testing import ConformanceFinding

app = new_app("List plug-ins, show what one is and takes, check one, start one.")


@app.command(
    "list",
    epilog=epilog(
        "unlearnbench plugins list",
        "unlearnbench plugins list unlearner --json",
        "unlearnbench plugins list attack --plugin-file my_attack.py",
    ),
)
def list_plugins(
    kind: Annotated[str | None, typer.Argument(metavar="KIND", help=f"One of {', '.join(RECORDS)}.")] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """List all plug-ins, or those of one kind; broken ones too."""
    wanted = _kind(kind)
    registry = load_registry(plugin_file or (), disable_plugin or ())
    if as_json:
        print_json(_listing(registry, wanted))
    else:
        _print_listing(registry, wanted)


@app.command(
    "show",
    epilog=epilog("unlearnbench plugins show sisa", "unlearnbench plugins show none --kind defense"),
)
def show_plugin(
    name: Annotated[str, typer.Argument(help="The plug-in's name.")],
    kind: Annotated[str | None, typer.Option("--kind", help="Its kind, where several share the name.")] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Show what a plug-in is, where it comes from, and its parameters."""
    wanted = _kind(kind)
    registered = _find(load_registry(plugin_file or (), disable_plugin or ()), name, wanted)
    if as_json:
        print_json(_details(registered))
    else:
        _print_details(_details(registered))


@app.command(
    "check",
    epilog=epilog(
        "unlearnbench plugins check my_attack.py",
        "unlearnbench plugins check unlearnbench-example",
        "unlearnbench plugins check none --kind defense --json",
    ),
)
def check_plugins(
    target: Annotated[
        str, typer.Argument(metavar="NAME|FILE|DIST", help="A plug-in, a plug-in file, or an installed distribution.")
    ],
    kind: Annotated[str | None, typer.Option("--kind", help="Its kind, where several share the name.")] = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Check that a plug-in does what its kind must; exit code 1 where something is found.

    Tried are its default parameters, on made-up records: is it deterministic, independent of order, does it leave its
    inputs alone, see only what it declares, and cope with awkward cases?
    """
    from unlearnbench.testing import findings_of, subjects

    registry, plugins = subjects(f"{_kind(kind)}:{target}" if kind else target, plugin_file or ())
    found = {plugin: findings_of(plugin, registry) for plugin in plugins}
    if as_json:
        print_json([_checked(plugin, findings) for plugin, findings in found.items()])
    else:
        for plugin, findings in found.items():
            typer.echo("\n".join([f"{plugin}: {_count(findings)}", *(f"- {finding}" for finding in findings)]))
    if any(found.values()):
        raise typer.Exit(1)


@app.command(
    "new",
    epilog=epilog("unlearnbench plugins new attack my-attack", "unlearnbench plugins new model my-model --to ~/code"),
)
def new_plugin(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it is to be.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words joined by hyphens.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", file_okay=False, help="Where to put it.")] = Path(),
) -> None:
    """Write a package to start from: a small method that works, its record, its tests."""
    from unlearnbench.testing.scaffold import write_package

    folder = write_package(kind, name, to)
    typer.echo(f"{folder} is written. Next:\n")
    typer.echo(f"  python -m pip install --editable '{folder}[test]'")
    typer.echo(f"  python -m pytest {folder}")
    typer.echo(f"  unlearnbench plugins check {folder.name}")


def _checked(registered: Registered, findings: list[ConformanceFinding]) -> dict[str, Any]:
    """Return what is found of a plug-in as plain data."""
    found = [asdict(finding) for finding in findings]
    return {"kind": registered.kind, "name": registered.name, "from": str(registered.source), "findings": found}


def _count(findings: list[ConformanceFinding]) -> str:
    return f"{len(findings)} finding{'s' if len(findings) > 1 else ''}" if findings else "nothing found"


def _kind(word: str | None) -> Kind | None:
    if word is not None and word not in RECORDS:
        raise UserError(f'unknown kind "{word}"{did_you_mean(word, RECORDS)}')
    return word


def _find(registry: Registry, name: str, kind: Kind | None) -> Registered:
    if kind is not None:
        return registry.get(kind, name)
    found = registry.named(name)
    if len(found) > 1:
        kinds = " or ".join(f"--kind {plugin.kind}" for plugin in found)
        raise UserError(f'several kinds of plug-in are called "{name}"; choose with {kinds}')
    return found[0]


def _listing(registry: Registry, kind: Kind | None) -> dict[str, object]:
    return {
        "plugins": [_record(plugin) for plugin in registry.all(kind)],
        "observers": [{"hook": seen.hook, "source": asdict(seen.source)} for seen in registry.observers.observers],
        "broken": [asdict(broken) for broken in registry.broken],
    }


def _print_listing(registry: Registry, kind: Kind | None) -> None:
    rows: list[tuple[str, ...]] = [
        (plugin.kind, plugin.name, plugin.plugin.summary, _from(plugin.source)) for plugin in registry.all(kind)
    ]
    if kind is None:
        observers = registry.observers.observers
        rows += [("observer", seen.hook, "is told how a run goes", _from(seen.source)) for seen in observers]
    rows += [("broken", "-", broken.error, _from(broken.source)) for broken in registry.broken]
    print_table(rows, headers=("kind", "name", "summary", "from"))


def _from(source: Source) -> str:
    return "built-in" if source.kind == "builtin" else str(source)


def _record(registered: Registered) -> dict[str, Any]:
    """Return a plug-in's record and source as plain data; the fields that only its kind has stand under ``about``."""
    plugin = registered.plugin
    common = {field.name for field in fields(Plugin)}
    return {
        "kind": registered.kind,
        "name": registered.name,
        "summary": plugin.summary,
        "reference": plugin.reference,
        "revision": plugin.revision,
        "about": {f.name: getattr(plugin, f.name) for f in fields(plugin) if f.name not in common},
        "factory": registered.factory,
        "source": asdict(registered.source),
    }


def _details(registered: Registered) -> dict[str, Any]:
    """Return all that is known of a plug-in; imports its class."""
    from unlearnbench.hooks.parameters import parameters

    cls = registered.load()
    return {
        **_record(registered),
        "from": str(registered.source),
        "description": inspect.cleandoc(cls.__doc__ or ""),
        "parameters": [asdict(parameter) for parameter in parameters(cls)],
    }


def _print_details(details: dict[str, Any]) -> None:
    typer.echo(f"{details['kind']} {details['name']}: {details['summary']}\n")
    about = {name: _text(value) for name, value in details["about"].items()}
    shown = {"reference": details["reference"], "revision": details["revision"], **about, "from": details["from"]}
    print_table([(name, value) for name, value in shown.items() if value != ""])
    if description := _without(details["description"], details["parameters"]):
        typer.echo(f"\n{description}")
    if details["parameters"]:
        typer.echo()
        print_table(
            [_parameter_row(p) for p in details["parameters"]], headers=("parameter", "type", "default", ""), width=60
        )
    else:
        typer.echo("\nIt takes no parameters.")


def _without(description: str, parameters: list[dict[str, Any]]) -> str:
    """Return a docstring without the paragraphs on parameters, which stand in the table."""
    told = tuple(f"``{parameter['name']}``" for parameter in parameters if parameter["description"])
    return "\n\n".join(part for part in description.split("\n\n") if not part.startswith(told))


def _parameter_row(parameter: dict[str, Any]) -> tuple[str, str, str, str]:
    default = "required" if parameter["required"] else _text(parameter["default"])
    return parameter["name"], parameter["type"], default, parameter["description"]


def _text(value: object) -> str:
    """Return a value as a suite writes it."""
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    return ", ".join(map(str, value)) or "nothing" if isinstance(value, list | tuple) else str(value)
