"""Store keys of episodes and cells: what decides a result is in its key, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.pools import Side
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.hooks.records import DefensePlugin
from unlearnbench.run.cells import SHARED_AXES, SIDES, Cell, CellGroup, EpisodeTask
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.suite.model import PluginRef, Suite


def group_key(cell: Cell, instances: PluginInstances) -> str:
    """Return what cells that share their episodes have in common; a suite may list a data set at several sizes."""
    shared: dict[str, object] = {
        f"{side}-{name}": identity for side in SIDES for name, identity in _identities(cell, side, instances).items()
    }
    return content_key(shared | {"entry": cell.dataset.label, "seed": cell.seed})


def _identities(cell: Cell, side: Side, instances: PluginInstances) -> dict[str, object]:
    """Return the identities of the plug-ins that one side's episodes depend on."""
    axes: dict[str, object] = {axis: instances.identity(cell.axes[axis].on(side)) for axis in SHARED_AXES}
    defense = _trained_with(cell, instances)
    return axes | ({"defense": instances.identity(defense)} if defense else {})


def make_group(suite: Suite, cells: Sequence[Cell], instances: PluginInstances, device: Device) -> CellGroup:
    """Return the group of cells that share their episodes, with all keys."""
    first = cells[0]
    target, shadow = (_tasks(suite, first, side, instances, device) for side in SIDES)
    shared = {
        "kind": "cell",
        "target": [task.key for task in target],
        "shadow": [task.key for task in shadow],
        "metrics": sorted((instances.identity(ref) for ref in suite.metrics), key=canonical_json),
    }
    if first.dataset.named:  # a row of its own, even where its sizes are those of another entry
        shared["entry"] = first.dataset.label
    keyed = {
        content_key(
            {
                **shared,
                "defense": instances.identity(cell.defense),
                "attack": instances.identity(cell.attack),
                "baseline": instances.identity(baseline_ref(cell.attack, instances)),
            }
        ): cell
        for cell in cells
    }
    return CellGroup(target, shadow, keyed, suite.metrics)


def _tasks(suite: Suite, cell: Cell, side: Side, instances: PluginInstances, device: Device) -> tuple[EpisodeTask, ...]:
    sizes = suite.sizes(cell.dataset, side)
    dataset, model = cell.dataset.on(side), cell.model.on(side)
    # Asking for a GPU imports torch, and results of a model that runs on the processor do not depend on it.
    kind = instances.make(model, TargetModel)
    where = resolve_device(device) if kind.uses_device else "cpu"
    engine = _engine(suite, model, kind.has_fast_path(where), where)
    identity: dict[str, object] = {
        "kind": "episode",
        "records": instances.records(dataset).sha256,
        "axes": _identities(cell, side, instances),
        # How many originals there are changes none of them: growing an experiment keeps what is done.
        "sizes": {name: value for name, value in asdict(sizes).items() if name != "originals"},
        "side": side,
        "seed": cell.seed,
        "engine": engine,
        "engine_revision": kind.engine_revision,
        "device": where,
    }
    return tuple(
        EpisodeTask(
            dataset=dataset,
            model=model,
            unlearner=cell.unlearner,
            scenario=cell.scenario,
            defense=_trained_with(cell, instances),
            sizes=sizes,
            side=side,
            original=original,
            seed=cell.seed,
            engine=engine,
            device=where,
            key=content_key({**identity, "original": original}),
        )
        for original in range(sizes.originals)
    )


def _engine(suite: Suite, model: PluginRef, has_fast_path: bool, device: str) -> Engine:
    if suite.engine == "fast" and not has_fast_path:
        raise UserError(f'engine: fast: {model.name} has no fast path on {device} here; use "auto"')
    return "fast" if suite.engine != "reference" and has_fast_path else "reference"


def _trained_with(cell: Cell, instances: PluginInstances) -> PluginRef | None:
    """Return the cell's defense if what is trained or published depends on it."""
    plugin = instances.registry.get("defense", cell.defense.name).plugin
    return cell.defense if isinstance(plugin, DefensePlugin) and plugin.stage != "release" else None
