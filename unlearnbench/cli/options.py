"""Options of verbs of all kinds; those of verbs on a suite are in :mod:`unlearnbench.cli.session`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PluginFiles = Annotated[
    list[Path] | None,
    typer.Option("--plugin-file", metavar="FILE", help="Load a plug-in from this Python file. Can be repeated."),
]
DisabledPlugins = Annotated[
    list[str] | None,
    typer.Option(
        "--disable-plugin",
        metavar="NAME",
        help="Leave out the plug-in NAME or KIND:NAME, or all plug-ins of a distribution or file. Can be repeated.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of text.")]

Workers = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Work in N processes, one thread each.")]
