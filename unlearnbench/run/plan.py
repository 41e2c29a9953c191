"""From a suite to its plan. Nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unlearnbench.engine.devices import Device
from unlearnbench.hooks.records import AttackPlugin, Kind
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import Plan
from unlearnbench.run.expansion import Expansion
from unlearnbench.run.faults import Faults
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.selection import Selection
from unlearnbench.run.settings import KnownSettings, Settings
from unlearnbench.run.sizes import check_references, check_sizes
from unlearnbench.run.validity import ValidityTests
from unlearnbench.suite.model import PluginRef, Suite


def make_plan(
    suite: Suite,
    instances: PluginInstances,
    device: Device,
    selection: Selection | None = None,
    known: KnownSettings | None = None,
) -> Plan:
    """Expand the selected part of a suite to groups of cells. Its data sets are loaded, to check sizes.

    Models are trained as ``device`` and this machine allow, but for those whose engine and device are ``known``.
    Controls and baselines are in every plan, whether or not the suite lists them. A plug-in that raises an exception
    fails its own cells. UserError where a size does not fit.
    """
    full = with_controls(suite, instances.registry)
    tests = validity_tests(full, instances.registry)
    chosen = (selection or Selection()).narrow(full, tests.sample)
    settings = Settings(instances, chosen.engine, device, known)
    faults = Faults(chosen, instances, settings)
    check_sizes(chosen, instances, faults.of_dataset)
    expansion = Expansion(chosen, instances, settings, faults)
    check_references(expansion.groups, instances)
    groups, skipped, failed = tuple(expansion.groups), tuple(expansion.skipped), tuple(expansion.failed)
    return Plan(suite, full, groups, skipped, tests, device, failed)


def with_controls(suite: Suite, registry: Registry) -> Suite:
    """Add what is in every table and the suite does not list (see docs/statistics.md).

    These are the controls, and the baselines to compare with: retraining, membership inference on the original, and
    the attack on the unlearned model alone, since an unlearner is never ranked by deletion inference only.
    """

    def add(listed: Sequence[PluginRef], kind: Kind) -> tuple[PluginRef, ...]:
        names = {ref.name for ref in listed}
        missing = [entry.name for entry in registry.all(kind) if entry.joins and entry.name not in names]
        return (*listed, *(default_ref(registry, kind, name) for name in missing))

    return replace(
        suite,
        unlearners=add(suite.unlearners, "unlearner"),
        attacks=add(suite.attacks, "attack"),
        metrics=add(suite.metrics, "metric"),
    )


def validity_tests(suite: Suite, registry: Registry) -> ValidityTests:
    """Return which of the suite's plug-ins decide which results are valid."""
    plugins = (registry.get("attack", ref.name).plugin for ref in suite.attacks)
    attacks = {plugin.name: plugin for plugin in plugins if isinstance(plugin, AttackPlugin)}
    return ValidityTests.of(attacks, registry)
