"""What the verbs that work on a suite share: from their options to a plan, the plug-ins and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unlearnbench.cli.options import DeviceName
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.plan import Plan
from unlearnbench.run.store import Store
from unlearnbench.suite.profiles import Profile


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
    profile: Profile = "full",
) -> Session:
    """Load a suite and plan it. Nothing is trained and nothing is written."""
    from unlearnbench.run.plan import Selection, make_plan
    from unlearnbench.suite.find import find_suite
    from unlearnbench.suite.load import load_suite
    from unlearnbench.suite.profiles import in_profile

    selection = Selection.parse(only or ())
    suite, registry = load_suite(find_suite(name), plugin_files=plugin_files or (), disabled=disabled or ())
    suite = in_profile(suite, profile)
    suite = suite if seed is None else replace(suite, seeds=(seed,))
    plan = make_plan(suite, registry, device or suite.device, selection)
    return Session(plan, registry, Store(store))
