"""Expands a suite to the cells to evaluate and the episodes they need. Nothing is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import TargetModel
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.cells import SIDES, Cell, Plan
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.keys import group_key, make_group
from unlearnbench.run.selection import Selection
from unlearnbench.run.sizes import check_sizes
from unlearnbench.suite.model import PluginRef, Suite


def make_plan(suite: Suite, instances: PluginInstances, device: Device, selection: Selection | None = None) -> Plan:
    """Expand a suite to groups of cells. Data sets are loaded, to check sizes; nothing is trained.

    Control rows and the classical baseline stand in every plan, whether or not the suite lists them.
    """
    full = with_controls(suite, instances.registry)
    check_sizes(full, instances)
    cells = list(_expand(full, instances))
    selection = selection or Selection()
    selection.check(cells)
    chosen = [cell for cell in cells if selection.holds(cell)]
    groups: dict[str, list[Cell]] = {}
    for cell in chosen:
        if not cell.skipped:
            groups.setdefault(group_key(cell, instances), []).append(cell)
    return Plan(
        suite,
        full,
        tuple(make_group(full, cells, instances, device) for cells in groups.values()),
        tuple(cell for cell in chosen if cell.skipped),
    )


def with_controls(suite: Suite, registry: Registry) -> Suite:
    """Add what stands in every table and the suite does not list (see docs/statistics.md).

    Control rows, retraining and the classical baseline to compare with, and the forgetting attack: unlearners are
    never judged on deletion inference alone.
    """

    def add(listed: Sequence[PluginRef], kind: Kind, also: frozenset[str]) -> tuple[PluginRef, ...]:
        names = {ref.name for ref in listed}
        wanted = [
            entry.name
            for entry in registry.all(kind)
            if entry.name in also or (entry.plugin.role == "control" and entry.source.kind == "builtin")
        ]
        return (*listed, *(default_ref(registry, kind, name) for name in wanted if name not in names))

    return replace(
        suite,
        unlearners=add(suite.unlearners, "unlearner", frozenset({"retrain"})),
        attacks=add(suite.attacks, "attack", frozenset({"classical", "forgetting"})),
        metrics=add(suite.metrics, "metric", frozenset({"auc"})),
    )


def _expand(suite: Suite, instances: PluginInstances) -> Iterator[Cell]:
    grid = product(
        suite.datasets,
        suite.models,
        suite.unlearners,
        suite.scenarios,
        suite.defenses,
        suite.attacks,
        suite.seeds,
    )
    for dataset, model, unlearner, scenario, defense, attack, seed in grid:
        cell = Cell(dataset, model, unlearner, scenario, defense, attack, seed)
        yield replace(cell, skipped=suite.excluded(cell.names) or _refused(cell, instances) or "")


def _refused(cell: Cell, instances: PluginInstances) -> str | None:
    """Return why a cell cannot run: its unlearner or its defense does not go with a model of one of the sides."""
    unlearner = instances.make(cell.unlearner, Unlearner)
    options = instances.make(cell.defense, Defense).training().used
    for side in SIDES:
        ref = cell.model.on(side)
        model = instances.make(ref, TargetModel)
        if refusal := unlearner.refusal(model):
            return refusal
        if unknown := options - model.options:
            return f"{ref.name} cannot be trained with {', '.join(sorted(unknown))}"
    return None
