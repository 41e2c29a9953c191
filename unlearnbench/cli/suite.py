"""``unlearnbench suite``: list, check and show suites, and print the JSON Schema of suite files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from unlearnbench.cli.options import AsJson, DisabledPlugins, PluginFiles, RunPluginFiles
from unlearnbench.cli.output import echo, epilog, new_app, print_json, print_table
from unlearnbench.core.errors import UserError
from unlearnbench.core.messages import counted
from unlearnbench.hooks.registry import load_registry
from unlearnbench.suite.find import find_suite, standard_suites
from unlearnbench.suite.load import load_suite, read_header
from unlearnbench.suite.model import Suite

app = new_app("List, check and show suites, the files that say what to run.")


@app.command("list", epilog=epilog("unlearnbench suite list", "unlearnbench suite list --json"))
def list_suites(as_json: AsJson = False) -> None:
    """List the standard suites.

    Every verb takes a standard suite by its name, and a suite of your own by its path.
    """
    headers = [read_header(path) | {"suite": name} for name, path in standard_suites().items()]
    if as_json:
        print_json(headers)
    else:
        print_table([header.values() for header in headers], headers=("suite", "version", "description"))


@app.command(
    "check",
    epilog=epilog(
        "unlearnbench suite check my-suite.yaml",
        "unlearnbench suite check quickstart adult-first",
        "unlearnbench suite check my-suite.yaml --run-plugin-files",
    ),
)
def check_suites(
    suites: Annotated[
        list[str], typer.Argument(metavar="SUITE", help="Names of standard suites, or paths of suite files.")
    ],
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
    run_plugin_files: RunPluginFiles = False,
) -> None:
    """Check suites without running them.

    Checks every name, parameter and size. The plug-in files that a suite names are not executed, so plug-ins of these
    files are unknown names; --run-plugin-files or --plugin-file makes them known. The exit code is 2 if a suite is
    wrong.
    """
    wrong = False
    for name in suites:
        try:
            echo(f"ok: {_summary(_load(name, plugin_file, disable_plugin, run_plugin_files))}")
        except UserError as error:
            echo(f"error: {error}", err=True)
            wrong = True
    if wrong:
        raise typer.Exit(2)


@app.command(
    "show",
    epilog=epilog("unlearnbench suite show quickstart", "unlearnbench suite show my-suite.yaml --json"),
)
def show_suite(
    suite: Annotated[
        str, typer.Argument(metavar="SUITE", help="The name of a standard suite, or the path of a suite file.")
    ],
    as_json: AsJson = False,
    plugin_file: PluginFiles = None,
    disable_plugin: DisabledPlugins = None,
    run_plugin_files: RunPluginFiles = False,
) -> None:
    """Print a suite with all defaults filled in.

    The output is a suite file with every parameter and size. The plug-in files that the suite names are executed only
    with --run-plugin-files.
    """
    found = _load(suite, plugin_file, disable_plugin, run_plugin_files)
    whole = found.to_dict() | found.limits.to_dict()
    if as_json:
        print_json({"sha256": found.sha256, "cells": found.n_cells, "suite": whole})
        return
    from unlearnbench.suite.yaml import dump_yaml

    echo(f"# {_summary(found)}\n# sha256 {found.sha256}\n{dump_yaml(whole)}".removesuffix("\n"))


@app.command(
    "schema",
    epilog=epilog(
        "unlearnbench suite schema > suite.schema.json",
        "unlearnbench suite schema --plugin-file my_attack.py > suite.schema.json",
    ),
)
def print_schema(plugin_file: PluginFiles = None, disable_plugin: DisabledPlugins = None) -> None:
    """Print the JSON Schema of suite files.

    Editors use it to complete and check keys, plug-ins and parameters.
    """
    from unlearnbench.suite.schema import suite_schema

    print_json(suite_schema(load_registry(plugin_file or (), disable_plugin or ())))


def _load(name: str, files: Sequence[Path] | None, disabled: Sequence[str] | None, run_plugin_files: bool) -> Suite:
    found = find_suite(name)
    return load_suite(found, plugin_files=files or (), disabled=disabled or (), run_plugin_files=run_plugin_files)[0]


def _summary(suite: Suite) -> str:
    factors = [counted(len(refs), axis) for axis, refs in suite.axes.items()] + [counted(len(suite.seeds), "seed")]
    rest = ", less what is excluded" if suite.exclude else ""
    return f"{suite.name}: {counted(suite.n_cells, 'cell')} ({' x '.join(factors)}{rest})"
