"""What the verbs that work on a suite share: their options, and the plan and store these lead to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from unlearnbench.hooks.registry import Registry
from unlearnbench.run.plan import Plan
from unlearnbench.run.store import Store

DeviceName = Literal["auto", "cpu", "cuda", "mps"]

SuiteName = Annotated[
    str, typer.Argument(metavar="SUITE", help="A standard suite's name, or the path of a suite file.")
]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="KEY=VALUE", help="Only cells with this on an axis, e.g. model=mlp; repeatable."),
]
StoreDir = Annotated[
    Path, typer.Option("--store", metavar="DIR", envvar="UNLEARNBENCH_STORE", help="Where results are kept.")
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Run this one seed instead of the suite's.")]
DeviceOption = Annotated[DeviceName | None, typer.Option("--device", help="Run here instead of the suite's device.")]
PluginFiles = Annotated[
    list[Path] | None,
    typer.Option("--plugin-file", metavar="FILE", help="A Python file with plug-ins to load; may be given repeatedly."),
]
Disabled = Annotated[
    list[str] | None,
    typer.Option("--disable-plugin", metavar="NAME", help="Leave out a plug-in or a distribution; repeatable."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

DEFAULT_STORE = Path(".unlearnbench")


@dataclass(frozen=True, eq=False)
class Session:
    """A suite's plan, the plug-ins it uses and the store it works on."""

    plan: Plan
    registry: Registry
    store: Store


def open_session(
    name: str,
    store: Path,
    only: Sequence[str] | None = None,
    seed: int | None = None,
    device: DeviceName | None = None,
    plugin_files: Sequence[Path] | None = None,
    disabled: Sequence[str] | None = None,
) -> Session:
    """Load a suite and plan it. Nothing is trained and nothing is written."""
    from unlearnbench.engine.devices import resolve_device
    from unlearnbench.run.plan import Selection, make_plan
    from unlearnbench.suite.find import find_suite
    from unlearnbench.suite.load import load_suite

    selection = Selection.parse(only or ())
    suite, registry = load_suite(find_suite(name), plugin_files=plugin_files or (), disabled=disabled or ())
    suite = suite if seed is None else replace(suite, seeds=(seed,))
    plan = make_plan(suite, registry, resolve_device(device or suite.device), selection)
    return Session(plan, registry, Store(store))
