"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

PluginFiles = Annotated[
    list[Path] | None,
    typer.Option("--plugin-file", metavar="FILE", help="Take in a one-file plug-in. Can be repeated."),
]
DisabledPlugins = Annotated[
    list[str] | None,
    typer.Option(
        "--disable-plugin",
        metavar="NAME",
        help="Leave out a plug-in (NAME or KIND:NAME), or all of a distribution or file. Can be repeated.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
ProfileName = Literal["full", "smoke"]

SuiteName = Annotated[
    str, typer.Argument(metavar="SUITE", help="A standard suite's name, or the path of a suite file.")
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="KEY=VALUE",
        help="Only cells with this on an axis, e.g. model=mlp; repeatable. The attack blind stays: is a row valid?",
    ),
]
StoreDir = Annotated[
    Path,
    typer.Option(
        "--store", metavar="DIR", envvar="UNLEARNBENCH_STORE", file_okay=False, help="Where results are kept."
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Run this one seed instead of the suite's.")]
DeviceOption = Annotated[DeviceName | None, typer.Option("--device", help="Run here instead of the suite's device.")]

ProfileOption = Annotated[
    ProfileName, typer.Option("--profile", help="full, or smoke: one seed, tiny episodes, to see that a suite works.")
]

Workers = Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Work in N processes, one thread each.")]

DEFAULT_STORE = Path(".unlearnbench")
