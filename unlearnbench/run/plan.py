"""A suite spelled out: the cells to judge, the episodes they need, and what the store already holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import product

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense
from unlearnbench.core.errors import UserError
from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.hooks.parameters import resolve
from unlearnbench.hooks.records import DefensePlugin, Kind
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.choices import Choices, read_choices, refuse_unknown
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.sizes import check_sizes
from unlearnbench.run.store import Store
from unlearnbench.suite.model import AXES, Axis, DatasetRef, PluginRef, Suite

SIDES: tuple[Side, Side] = ("target", "shadow")
BLIND = "blind"
"""The control attack that reads records only; where it beats chance the sample gives itself away."""
ENGINE_REVISION = 1
"""Goes up when a change to the engine changes results, so that older ones are not read for new ones."""
SHARED_AXES = AXES[:4]
"""What the episodes of a cell depend on; the other axes only read what they gave."""


@dataclass(frozen=True)
class EpisodeTask:
    """One original model and its requests, by name: all that a worker needs to make it anywhere.

    ``defense`` is there where it changes what is trained or published, not only what is released.
    """

    dataset: PluginRef
    model: PluginRef
    unlearner: PluginRef
    scenario: PluginRef
    defense: PluginRef | None
    sizes: EpisodeSizes
    side: Side
    original: int
    seed: int
    engine: Engine
    device: str
    key: str

    @property
    def models(self) -> int:
        """How many models are trained at most, constituents of ensembles not counted."""
        return 1 + self.sizes.requests


@dataclass(frozen=True)
class Cell:
    """One line of the results: one attack on one defense of one set of episodes, with one seed."""

    dataset: DatasetRef
    model: PluginRef
    unlearner: PluginRef
    scenario: PluginRef
    defense: PluginRef
    attack: PluginRef
    seed: int
    skipped: str = ""

    @property
    def axes(self) -> dict[str, PluginRef]:
        """The plug-in this cell uses on each axis."""
        return {axis: getattr(self, axis) for axis in AXES}

    @property
    def names(self) -> dict[Axis, str]:
        """The name of the plug-in on each axis."""
        return {axis: self.axes[axis].name for axis in AXES}

    @property
    def labels(self) -> dict[Axis, str]:
        """The label of the plug-in on each axis: its name, and the parameters that are not the default."""
        return {axis: self.axes[axis].label for axis in AXES}


@dataclass(frozen=True, eq=False)
class CellGroup:
    """Cells that share their episodes, and differ only in what is released and in the attack."""

    target: tuple[EpisodeTask, ...]
    shadow: tuple[EpisodeTask, ...]
    cells: Mapping[str, Cell]
    metrics: tuple[PluginRef, ...]

    @property
    def episodes(self) -> tuple[EpisodeTask, ...]:
        """The episodes of both sides."""
        return self.target + self.shadow


@dataclass(frozen=True, eq=False)
class Plan:
    """What a suite asks for. ``benches`` hold all cells that can run, ``skipped`` those that cannot, with reasons.

    ``full`` is the suite with the control rows it does not list itself.
    """

    suite: Suite
    full: Suite
    benches: tuple[CellGroup, ...]
    skipped: tuple[Cell, ...]

    @cached_property
    def episodes(self) -> dict[str, EpisodeTask]:
        """Every episode once, by its store key."""
        return {task.key: task for bench in self.benches for task in bench.episodes}

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Every cell that can run, by its store key."""
        return {key: cell for bench in self.benches for key, cell in bench.cells.items()}

    def summary(self, store: Store) -> dict[str, int]:
        """Count what the plan holds and what the store has of it already."""
        missing = [task for key, task in self.episodes.items() if not store.has("episode", key)]
        return {
            "cells": len(self.cells),
            "cells cached": sum(store.has("cell", key) for key in self.cells),
            "cells skipped": len(self.skipped),
            "episodes": len(self.episodes),
            "episodes cached": len(self.episodes) - len(missing),
            "models": sum(task.models for task in self.episodes.values()),
            "models to train": sum(task.models for task in missing),
        }


@dataclass(frozen=True)
class Selection:
    """Which part of a suite to run: only cells whose axis has one of the names or labels given for it."""

    only: Choices = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Selection:
        """Read ``key=value`` texts; several values for one key widen it."""
        return cls(read_choices(texts, "--only", ("key", "value"), (*AXES, "seed")))

    def holds(self, cell: Cell) -> bool:
        """Say whether a cell is selected. Blind stays whichever attacks are: it tells whether their rows are valid."""
        told = _told(cell)
        return all(
            values & told[key] or (key == "attack" and cell.attack.name == BLIND) for key, values in self.only.items()
        )

    def check(self, cells: Iterable[Cell]) -> None:
        """Raise :class:`UserError` for a value that no cell has."""
        told = [_told(cell) for cell in cells]
        refuse_unknown(self.only, "--only", lambda key: set().union(*(one[key] for one in told)))


def _told(cell: Cell) -> dict[str, set[str]]:
    """Return what a cell may be called on each axis."""
    return {str(axis): {cell.names[axis], cell.labels[axis]} for axis in AXES} | {"seed": {str(cell.seed)}}


def make_plan(suite: Suite, registry: Registry, device: Device, selection: Selection | None = None) -> Plan:
    """Expand a suite to cells and benches. Data sets are loaded, to check sizes; nothing is trained.

    Control rows and the classical baseline stand in every plan, whether or not the suite lists them.
    """
    full = with_controls(suite, registry)
    instances = PluginInstances(registry)
    check_sizes(full, instances)
    cells = list(_expand(full, instances))
    selection = selection or Selection()
    selection.check(cells)
    chosen = [cell for cell in cells if selection.holds(cell)]
    benches: dict[str, list[Cell]] = {}
    for cell in chosen:
        if not cell.skipped:
            benches.setdefault(_bench_key(cell, instances), []).append(cell)
    return Plan(
        suite,
        full,
        tuple(_bench(full, cells, instances, device) for cells in benches.values()),
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


def default_ref(registry: Registry, kind: Kind, name: str, params: Mapping[str, object] | None = None) -> PluginRef:
    """Return a plug-in with the given parameters and defaults for the rest."""
    return PluginRef(kind, name, resolve(registry.get(kind, name), params or {}))


def baseline_ref(attack: PluginRef, instances: PluginInstances) -> PluginRef:
    """Return the classical attack that an attack's degradation is measured against."""
    baseline = instances.make(attack, Attack).baseline
    return default_ref(instances.registry, "attack", baseline.name, baseline.params)


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
    asked = instances.make(cell.defense, Defense).training().used
    for side in SIDES:
        ref = cell.model.on(side)
        model = instances.make(ref, TargetModel)
        if refusal := unlearner.refusal(model):
            return refusal
        if unknown := asked - model.options:
            return f"{ref.name} cannot be trained with {', '.join(sorted(unknown))}"
    return None


def _trained_under(cell: Cell, instances: PluginInstances) -> PluginRef | None:
    """Return the cell's defense if what is trained or published depends on it."""
    plugin = instances.registry.get("defense", cell.defense.name).plugin
    return cell.defense if isinstance(plugin, DefensePlugin) and plugin.stage != "release" else None


def _bench_key(cell: Cell, instances: PluginInstances) -> str:
    """Return what cells that share their episodes have in common; a suite may list a data set at several sizes."""
    shared: dict[str, object] = {
        f"{side}-{name}": identity for side in SIDES for name, identity in _axes(cell, side, instances).items()
    }
    return content_key(shared | {"entry": cell.dataset.label, "seed": cell.seed})


def _axes(cell: Cell, side: Side, instances: PluginInstances) -> dict[str, object]:
    """Return the identities of the plug-ins that one side's episodes depend on."""
    axes: dict[str, object] = {axis: instances.identity(cell.axes[axis].on(side)) for axis in SHARED_AXES}
    defense = _trained_under(cell, instances)
    return axes | ({"defense": instances.identity(defense)} if defense else {})


def _bench(suite: Suite, cells: Sequence[Cell], instances: PluginInstances, device: Device) -> CellGroup:
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
        "axes": _axes(cell, side, instances),
        # How many originals there are changes none of them: growing an experiment keeps what is done.
        "sizes": {name: value for name, value in asdict(sizes).items() if name != "originals"},
        "side": side,
        "seed": cell.seed,
        "engine": engine,
        "engine_revision": ENGINE_REVISION,
        "device": where,
    }
    return tuple(
        EpisodeTask(
            dataset=dataset,
            model=model,
            unlearner=cell.unlearner,
            scenario=cell.scenario,
            defense=_trained_under(cell, instances),
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
