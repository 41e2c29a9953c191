"""What a plan consists of: episodes to make, cells to evaluate, and the cells that share their episodes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from unlearnbench.core.models import Engine
from unlearnbench.core.options import TrainingOptions
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.engine.devices import Device
from unlearnbench.run.store import Store
from unlearnbench.run.validity import ValidityTests
from unlearnbench.suite.model import AXES, DatasetRef, PluginRef, Suite

SIDES: tuple[Side, Side] = ("target", "shadow")
SHARED_AXES = AXES[:4]
"""What the episodes of a cell depend on. The other axes only use their result."""


@dataclass(frozen=True, slots=True)
class EpisodeTask:
    """One original model and its deletion requests, by name: all that a worker needs to make the episode."""

    dataset: PluginRef
    model: PluginRef
    unlearner: PluginRef
    scenario: PluginRef
    defense: PluginRef | None
    """None where the defense changes neither what is trained nor what is published."""
    sizes: EpisodeSizes
    side: Side
    original: int
    seed: int
    engine: Engine
    device: str
    options: TrainingOptions
    """How the defense wants models trained."""
    key: str
    """Where the store keeps the episode."""
    population: int = 0
    """Records of the population that the models of a target are asked about too."""
    relearn: int = 0
    """For how many epochs, at most, unlearned models of a target learn the deleted records again; 0 for not at all."""
    copies: int = 0
    """Noisy copies of each queried record, at each scale, that the models are asked about too."""
    boundary: int = 0
    """Queries, at most, of each search for the decision boundary around a queried record; 0 for no search."""

    @property
    def requests(self) -> int:
        """How many deletion requests are served."""
        return self.sizes.requests

    @property
    def original_key(self) -> Hashable:
        """What the episodes of one original have in common: all that its training depends on."""
        sides = (self.side, self.original, self.seed, self.sizes.records)
        return (self.dataset.key, self.model.key, self.options, self.engine, self.device, *sides)


@dataclass(frozen=True, slots=True)
class ReferenceTask:
    """One reference model of the adversary's and its deletion requests, by name."""

    dataset: PluginRef
    """The data set of the target, whose records are queried."""
    model: PluginRef
    unlearner: PluginRef
    defense: PluginRef | None
    """As of :class:`EpisodeTask`."""
    records: int
    """Training records of a target's original."""
    number: int
    """The number of the reference model."""
    per_request: int
    """Records that each request forgets."""
    population: int
    """Records of the population that it is asked about."""
    queried: int
    """Records that are queried from the target, at most."""
    seed: int
    engine: Engine
    device: str
    options: TrainingOptions
    """How the defense wants models trained."""
    targets: tuple[str, ...]
    """Where the store keeps the episodes whose queried records it is asked about."""
    key: str
    """Where the store keeps its answers."""

    @property
    def requests(self) -> int:
        """How many deletion requests are served, at most or a few more: half of the queried records are its members."""
        return max(-(-self.queried // (2 * self.per_request)), 1)

    @property
    def original_key(self) -> Hashable:
        """What its training depends on, besides the queried records."""
        parts = ("reference", self.number, self.seed, self.records)
        return (self.dataset.key, self.model.key, self.options, self.engine, self.device, *parts)


@dataclass(frozen=True, slots=True)
class Cell:
    """One line of the results: one attack on one defense of one set of episodes, with one seed."""

    dataset: DatasetRef
    model: PluginRef
    unlearner: PluginRef
    scenario: PluginRef
    defense: PluginRef
    attack: PluginRef
    seed: int
    reason: str = ""
    """Why the cell cannot run, or empty."""

    @property
    def axes(self) -> dict[str, PluginRef]:
        """The plug-in on each axis."""
        return {
            "dataset": self.dataset,
            "model": self.model,
            "unlearner": self.unlearner,
            "scenario": self.scenario,
            "defense": self.defense,
            "attack": self.attack,
        }

    @property
    def names(self) -> dict[str, str]:
        """The name of the plug-in on each axis."""
        return {axis: ref.name for axis, ref in self.axes.items()}

    @property
    def labels(self) -> dict[str, str]:
        """The label of the plug-in on each axis: its name, and the parameters that are not the default."""
        return {axis: ref.label for axis, ref in self.axes.items()}


@dataclass(frozen=True, eq=False)
class CellGroup:
    """Cells that share their episodes, and differ only in what is released and in the attack."""

    target: tuple[EpisodeTask, ...]
    shadow: tuple[EpisodeTask, ...]
    cells: Mapping[str, Cell]
    """The cells by their store key."""
    metrics: tuple[PluginRef, ...]
    retrained: CellGroup | None = None
    """The same cells with retraining in the place of the unlearner, where a metric of the suite reads them and these
    cells are others."""
    references: tuple[ReferenceTask, ...] = ()
    """As many reference models as one of the attacks needs, or the metrics read."""
    references_of_metrics: int = 0
    """How many of them the metrics read."""

    @property
    def name(self) -> str:
        """The key of the first cell, which no other group has."""
        return next(iter(self.cells))

    @property
    def episodes(self) -> tuple[EpisodeTask, ...]:
        """All episodes that the cells depend on."""
        own = self.target + self.shadow
        return own + self.retrained.episodes if self.retrained else own

    @property
    def all_references(self) -> tuple[ReferenceTask, ...]:
        """All reference models that the cells depend on."""
        return self.references + self.retrained.all_references if self.retrained else self.references

    @property
    def tasks(self) -> tuple[EpisodeTask | ReferenceTask, ...]:
        """All episodes and reference models."""
        return self.episodes + self.all_references


@dataclass(frozen=True, eq=False, slots=True)
class CellTask:
    """A cell to evaluate, with the group that says what it depends on."""

    group: CellGroup
    key: str
    """The store key of the cell."""

    @property
    def cell(self) -> Cell:
        """The cell."""
        return self.group.cells[self.key]


@dataclass(frozen=True, eq=False)
class Plan:
    """The cells of a suite, and the episodes that they need."""

    suite: Suite
    """The suite as it was loaded."""
    full: Suite
    """The suite with the control rows that it does not list itself."""
    groups: tuple[CellGroup, ...]
    """All cells that can run."""
    skipped: tuple[Cell, ...]
    """The cells that are not to run, with reasons: the suite excludes them, or their plug-ins do not go together."""
    tests: ValidityTests
    """The plug-ins that decide which results are valid."""
    device: Device
    """The device that models are trained on where they can be."""
    failed: tuple[Cell, ...] = ()
    """The cells that cannot run, with reasons: one of their plug-ins failed while the suite was planned."""

    @cached_property
    def episodes(self) -> dict[str, EpisodeTask]:
        """Every episode once, by its store key."""
        return {task.key: task for group in self.groups for task in group.episodes}

    @cached_property
    def references(self) -> dict[str, ReferenceTask]:
        """Every reference model once, by its store key."""
        return {task.key: task for group in self.groups for task in group.all_references}

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Every cell that can run, by its store key."""
        return {key: cell for group in self.groups for key, cell in group.cells.items()}

    @property
    def models(self) -> int:
        """How many models are trained at most, as :func:`count_models` counts them."""
        return count_models([*self.episodes.values(), *self.references.values()])

    def summary(self, store: Store) -> dict[str, int]:
        """Count what the plan holds and what the store has of it already."""
        episodes, references = self.episodes, self.references
        stored = store.stored("episode", episodes)
        known = store.stored("reference", references)
        left = [task for key, task in (episodes | references).items() if key not in stored | known]
        keys = (key for group in self.groups for key in group.cells)
        return {
            "cells": sum(len(group.cells) for group in self.groups),
            "cells cached": len(store.stored("cell", keys)),
            "cells skipped": len(self.skipped),
            "cells failed": len(self.failed),
            "episodes": len(episodes),
            "episodes cached": len(stored),
            **({"reference models": len(references), "reference models cached": len(known)} if references else {}),
            "models": self.models,
            "models to train": count_models(left),
        }


def count_models(tasks: Iterable[EpisodeTask | ReferenceTask]) -> int:
    """Return how many models are trained at most: each original once, and one a request; an ensemble counts as one."""
    originals, unlearned = set(), 0
    for task in tasks:
        originals.add(task.original_key)
        unlearned += task.requests
    return len(originals) + unlearned
