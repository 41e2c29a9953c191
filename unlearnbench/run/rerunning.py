"""What a re-run of everything drops: no model that a result which stays was computed from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unlearnbench.core.errors import UserError
from unlearnbench.run.cells import CellGroup, Plan
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plan import make_plan
from unlearnbench.run.store import Kind, Store


def made_again(plan: Plan, instances: PluginInstances, store: Store) -> list[tuple[Kind, str]]:
    """Return kind and key of what a re-run of a plan drops, in the order in which it must be dropped.

    These are its cells, then the models that they read, but for those that a stored cell of the suite outside the plan
    reads too. Such a cell was compared with these models and with no later ones, whose seconds are others. So with
    every stored cell the store holds the models that it was computed from.
    """
    kept = {task.key for group in _staying(plan, instances, store) for task in group.tasks}
    models: list[tuple[Kind, str]] = [
        *(("episode", key) for key in plan.episodes),
        *(("reference", key) for key in plan.references),
    ]
    return [*(("cell", key) for key in plan.cells), *(model for model in models if model[1] not in kept)]


def _staying(plan: Plan, instances: PluginInstances, store: Store) -> Iterator[CellGroup]:
    """Yield the groups of the whole suite that have a stored cell outside the plan."""
    for dataset in plan.suite.datasets:
        try:
            whole = make_plan(replace(plan.suite, datasets=(dataset,)), instances, plan.device)
        except UserError:  # such as a data set that is not here, which the plan leaves out
            continue
        stored = store.stored("cell", whole.cells.keys() - plan.cells.keys())
        yield from (group for group in whole.groups if not stored.isdisjoint(group.cells))
