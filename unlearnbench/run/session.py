"""From a suite's name and a user's options to a plan, live plug-ins and a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from unlearnbench.core.errors import UserError
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.protocol import entry_plan, read_entry
from unlearnbench.run.selection import Selection
from unlearnbench.run.store import Store
from unlearnbench.suite.find import find_suite
from unlearnbench.suite.load import load_suite
from unlearnbench.suite.model import Suite
from unlearnbench.suite.profiles import Profile, in_profile


@dataclass(frozen=True)
class SessionOptions:
    """Which part of a suite to work on, with which plug-ins, and where results are kept."""

    store: Path = Path(".unlearnbench")
    """The folder of results."""
    only: Sequence[str] = ()
    """``axis=value`` texts; only the cells that have one of the values on each of the axes."""
    seed: int | None = None
    """One seed to run in place of the suite's seeds."""
    device: Device | None = None
    """A device in place of the suite's device."""
    profile: Profile = "full"
    """``smoke`` for one seed and tiny episodes."""
    plugin_files: Sequence[str | Path] = ()
    """One-file plug-ins to load."""
    disabled: Sequence[str] = ()
    """Plug-ins to leave out, as :func:`~unlearnbench.hooks.registry.load_registry` takes them."""
    run_plugin_files: bool = False
    """Whether the plug-in files that the suite names are executed too."""
    entry: str = ""
    """``axis=name`` of a plug-in: only what an entry of the suite's board with it consists of."""


@dataclass(frozen=True, eq=False)
class Session:
    """All that the verbs on one suite share: they load each plug-in and each data set once."""

    plan: Plan
    """What the suite asks for."""
    instances: PluginInstances
    """The live plug-ins of the plan, and the data sets loaded so far."""
    store: Store
    """Where results are kept."""

    @property
    def registry(self) -> Registry:
        """The plug-ins by name."""
        return self.instances.registry


def open_session(suite: str | Path, options: SessionOptions) -> Session:
    """Load a suite by name or path and plan it. Nothing is trained and nothing is written.

    Raises :class:`UserError` where the suite, an option or a plug-in is wrong.
    """
    Selection.parse(options.only)  # the text of an option is checked before anything is loaded
    loaded, registry = load_suite(
        find_suite(suite),
        plugin_files=options.plugin_files,
        disabled=options.disabled,
        run_plugin_files=options.run_plugin_files,
    )
    return plan_session(loaded, PluginInstances(registry), options)


def plan_session(suite: Suite, instances: PluginInstances, options: SessionOptions) -> Session:
    """Plan a suite that is loaded already, with the plug-ins of ``instances``."""
    chosen = in_profile(suite, options.profile)
    chosen = chosen if options.seed is None else replace(chosen, seeds=(options.seed,))
    with plugin_call():
        plan = _plan(chosen, instances, options)
    return Session(plan, instances, Store(options.store.absolute()))


def _plan(suite: Suite, instances: PluginInstances, options: SessionOptions) -> Plan:
    device = options.device or suite.device
    if not options.entry:
        return make_plan(suite, instances, device, Selection.parse(options.only))
    if options.only:
        raise UserError("--entry and --only both choose cells; give one of them")
    return entry_plan(suite, read_entry(options.entry, suite, instances.registry), instances, device)
