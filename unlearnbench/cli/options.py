"""Options of several verbs; those of all verbs on a suite are in :mod:`unlearnbench.cli.session`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PluginFiles = Annotated[
    list[Path] | None,
    typer.Option("--plugin-file", metavar="FILE", help="Load a plug-in from this Python file. Can be repeated."),
]
RunPluginFiles = Annotated[
    bool,
    typer.Option(
        "--run-plugin-files",
        help="Execute the plug-in files that the suite names. Without this only `unlearnbench run` does.",
    ),
]
DisabledPlugins = Annotated[
    list[str] | None,
    typer.Option(
        "--disable-plugin",
        metavar="NAME",
        help="Leave out the plug-in NAME or KIND:NAME, or all plug-ins of a distribution or file. Can be repeated.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

ExecutorText = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="NAME[:PARAM=VALUE,...]",
        help="The plug-in that does the work, with its parameters, e.g. processes:workers=4. The default is serial; "
        "`unlearnbench plugins list executor` lists all.",
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", metavar="N", min=1, help="Use N processes, one thread each. Short for --executor processes."
    ),
]
Memory = Annotated[
    str,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="With --workers: limit the total memory to SIZE (e.g. 4GB). The number of workers is SIZE minus this "
        "process, divided by the peak memory of the largest worker so far; one worker runs first to measure it.",
    ),
]
SchedulerFile = Annotated[
    str,
    typer.Option(
        "--scheduler-file",
        metavar="FILE",
        help="Use the dask cluster whose scheduler wrote this file. Short for --executor dask:scheduler_file=FILE.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="The most seconds that one episode, or the evaluation of one cell, may take; in place of the suite's.",
    ),
]
MemoryLimit = Annotated[
    str,
    typer.Option(
        "--memory-limit",
        metavar="SIZE",
        help="The most memory that the process of one episode or cell may hold (e.g. 4GB); in place of the suite's. On "
        "Linux only.",
    ),
]
LeaderboardsDir = Annotated[
    Path, typer.Option("--leaderboards", metavar="DIR", file_okay=False, help="The folder of all leaderboards.")
]
LEADERBOARDS = Path("leaderboards")
