"""What all who run a suite share: from their wishes to a plan, the plug-ins and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unlearnbench.engine.devices import Device
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.plan import make_plan
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.profiles import Profile, in_profile


@dataclass(frozen=True, eq=False)
class Session:
    """A suite's plan, the plug-ins it uses and the store it works on."""

    plan: Plan
    registry: Registry
    store: Store


def open_session(
    name: str | Path,
    store: Path,
    only: Sequence[str] | None = None,
    seed: int | None = None,
    device: Device | None = None,
    plugin_files: Sequence[str | Path] | None = None,
    disabled: Sequence[str] | None = None,
    profile: Profile = "full",
) -> Session:
    """Load a suite and plan it. Nothing is trained and nothing is written."""
    selection = Selection.parse(only or ())
    suite, registry = load_suite(find_suite(name), plugin_files=plugin_files or (), disabled=disabled or ())
    suite = in_profile(suite, profile)
    suite = suite if seed is None else replace(suite, seeds=(seed,))
    plan = make_plan(suite, registry, device or suite.device, selection)
    return Session(plan, registry, Store(store))
