"""``unlearnbench plugins``: list plug-ins, describe one, check one, and start a new one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unlearnbench.cli.options import AsJson, DisabledPlugins, PluginFiles
from unlearnbench.cli.output import echo, epilog, finding_count, new_app, print_json
from unlearnbench.cli.plugin_text import details_of, listing, print_details, print_listing
from unlearnbench.core.errors import UserError, did_you_mean
from unlearnbench.hooks.records import RECORDS, Kind
from unlearnbench.hooks.registry import Registered, Registry, load_registry

if TYPE_CHECKING:
    from unlearnbench.testing import ConformanceFinding

KindOption = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="The kind, if plug-ins of several kinds have this name.")
]
TEMPLATES = [kind for kind in RECORDS if kind != "executor"]
"""The kinds that ``plugins new`` writes."""

app = new_app("List plug-ins, describe one, check one, start a new one.")


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
    """List the plug-ins of all kinds or of one.

    Distributions and files that could not be loaded are listed too, with the reason.
    """
    wanted = _kind(kind)
    registry = load_registry(plugin_file or (), disable_plugin or ())
    if as_json:
        print_json(listing(registry, wanted))
    else:
        print_listing(registry, wanted)


@app.command(
    "show",
    epilog=epilog("unlearnbench plugins show sisa", "unlearnbench plugins show none --kind defense"),
)
def show_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the plug-in.")],
    kind: KindOption = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
) -> None:
    """Describe a plug-in: its source and its parameters."""
    wanted = _kind(kind)
    registered = _find(load_registry(plugin_file or (), disable_plugin or ()), name, wanted)
    if as_json:
        print_json(details_of(registered))
    else:
        print_details(details_of(registered))


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
    kind: KindOption = None,
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
) -> None:
    """Check that a plug-in keeps the contract of its kind.

    The checks use the default parameters and generated records. They test that the plug-in is deterministic, does not
    depend on the order of rows, does not change its inputs, reads only what it declares, and handles edge cases. The
    exit code is 1 if a check fails.
    """
    from unlearnbench.testing import findings_of, subjects

    registry, plugins = subjects(f"{_kind(kind)}:{target}" if kind else target, plugin_file or ())
    found = {plugin: findings_of(plugin, registry) for plugin in plugins}
    if as_json:
        print_json([_checked(plugin, findings) for plugin, findings in found.items()])
    else:
        for plugin, findings in found.items():
            echo("\n".join([f"{plugin}: {finding_count(len(findings))}", *(f"- {finding}" for finding in findings)]))
    if any(found.values()):
        raise typer.Exit(1)


@app.command(
    "new",
    epilog=epilog("unlearnbench plugins new attack my-attack", "unlearnbench plugins new model my-model --to ~/code"),
)
def new_plugin(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(TEMPLATES)}.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name: lower-case words joined by hyphens.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", file_okay=False, help="The folder to write it in.")
    ] = Path(),
) -> None:
    """Write a package with a small working plug-in.

    The package holds a method, its record and its tests, and can be installed as it is.
    """
    from unlearnbench.testing.scaffold import write_package

    folder = write_package(kind, name, to)
    echo(f"wrote {folder}; next:\n")
    echo(f"  python -m pip install --editable '{folder}[test]'")
    echo(f"  python -m pytest {folder}")
    echo(f"  unlearnbench plugins check {folder.name}")


def _checked(registered: Registered, findings: list[ConformanceFinding]) -> dict[str, Any]:
    """Return the findings of a plug-in as plain data."""
    found = [asdict(finding) for finding in findings]
    return {"kind": registered.kind, "name": registered.name, "from": str(registered.source), "findings": found}


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
        raise UserError(f'plug-ins of several kinds are named "{name}"; choose one: {kinds}')
    return found[0]
