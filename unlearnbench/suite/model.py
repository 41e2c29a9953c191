"""A suite, with all names and parameters checked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Literal

from unlearnbench.core.executors import NO_LIMITS
from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.core.limits import Limits
from unlearnbench.core.models import Engine
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.core.references import ReferenceSizes
from unlearnbench.engine.devices import Device
from unlearnbench.hooks.records import Kind
from unlearnbench.suite.tuning import TrialRecord, Tuning

Axis = Literal["dataset", "model", "unlearner", "scenario", "defense", "attack"]
"""A dimension of the grid; a cell has one entry of each axis, and a seed."""
AXES: tuple[Axis, ...] = ("dataset", "model", "unlearner", "scenario", "defense", "attack")

EngineChoice = Literal["auto", Engine]
"""The engine that a suite asks for; ``auto`` is fast where the model has a fast path."""


@dataclass(frozen=True)
class PluginRef:
    """A plug-in with all its parameters, defaults filled in."""

    kind: Kind
    name: str
    params: Mapping[str, object] = field(default_factory=dict, hash=False)
    label: str = ""
    """The name with the parameters that differ from their defaults, such as ``decision-tree(max_leaf_nodes=20)``. It is
    unique within a list."""
    shadow: PluginRef | None = None
    """What the adversary uses instead of a data set or model that it does not know."""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name)

    @cached_property
    def key(self) -> str:
        """Kind, name and parameters as text: equal for refs of the same plug-in, whatever their label."""
        return canonical_json([self.kind, self.name, dict(self.params)])

    def on(self, side: Side) -> PluginRef:
        """Return the plug-in that one side uses."""
        return self.shadow if side == "shadow" and self.shadow is not None else self

    def to_dict(self) -> dict[str, object]:
        """Return the entry as in a suite file, parameters in alphabetical order."""
        entry: dict[str, object] = {"name": self.name, "params": dict(sorted(self.params.items()))}
        return entry | ({"shadow": self.shadow.to_dict()} if self.shadow else {})


@dataclass(frozen=True)
class DatasetRef(PluginRef):
    """A data set with the sizes of its episodes on both sides."""

    episodes: EpisodeSizes = field(default_factory=EpisodeSizes)
    """Sizes of the target side."""
    adversary: EpisodeSizes = field(default_factory=EpisodeSizes)
    """Sizes of the shadow side."""
    references: ReferenceSizes = field(default_factory=ReferenceSizes)
    """What the adversary has besides its shadow models."""
    named: bool = False
    """Whether the suite gives the label."""

    def to_dict(self) -> dict[str, object]:
        """Return the entry as in a suite file, with all sizes."""
        references = {name: size for name, size in asdict(self.references).items() if size}
        sizes = {"episodes": asdict(self.episodes), "adversary": asdict(self.adversary) | references}
        return super().to_dict() | ({"label": self.label} if self.named else {}) | sizes


@dataclass(frozen=True)
class Exclusion:
    """Cells that are not run: all with these plug-in names on these axes."""

    names: Mapping[Axis, str] = field(hash=False)
    because: str
    """The reason."""

    def to_dict(self) -> dict[str, object]:
        """Return the rule as in a suite file."""
        return {axis: self.names[axis] for axis in AXES if axis in self.names} | {"because": self.because}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A grid of cells to run: ``seeds`` x the six axes, without the cells of ``exclude``."""

    name: str
    version: int
    description: str = ""
    seeds: tuple[int, ...]
    datasets: tuple[DatasetRef, ...]
    models: tuple[PluginRef, ...]
    unlearners: tuple[PluginRef, ...]
    scenarios: tuple[PluginRef, ...]
    defenses: tuple[PluginRef, ...]
    attacks: tuple[PluginRef, ...]
    metrics: tuple[PluginRef, ...]
    exclude: tuple[Exclusion, ...] = ()
    tune: Tuning | None = None
    """How the parameters of unlearners are looked for, by ``tune`` only: a run does not read it."""
    trials: tuple[TrialRecord, ...] = ()
    """What its parameters were chosen by, if ``tune`` wrote it: a run does not read it."""
    plugins: tuple[str, ...] = ()
    """Paths of plug-in files, relative to the suite file."""
    engine: EngineChoice = "auto"
    device: Device = "auto"
    limits: Limits = field(default=NO_LIMITS, compare=False)
    """What each task of a run may take. Like ``path`` it has no part in comparison, ``to_dict`` or ``sha256``: it
    changes no result."""
    path: Path | None = field(default=None, compare=False)
    """The suite file."""

    @property
    def axes(self) -> Mapping[Axis, tuple[PluginRef, ...]]:
        """The entries of the grid by axis, in the order of runs and tables."""
        return {
            "dataset": self.datasets,
            "model": self.models,
            "unlearner": self.unlearners,
            "scenario": self.scenarios,
            "defense": self.defenses,
            "attack": self.attacks,
        }

    @property
    def plugin_files(self) -> tuple[Path, ...]:
        """The absolute paths of the suite's plug-in files."""
        return tuple(plugin_file(self.path or Path(), relative) for relative in self.plugins)

    def sizes(self, dataset: DatasetRef, side: Side) -> EpisodeSizes:
        """Return the sizes of one side on a data set."""
        return dataset.episodes if side == "target" else dataset.adversary

    def excluded(self, cell: Mapping[Axis, str]) -> str | None:
        """Return why a cell is not run, or None where it is. ``cell`` is its plug-in's name on each axis.

        Given fewer axes, only rules that name none of the others apply: what is excluded then is so in every cell.
        """
        first = [
            rules[names]
            for axes, rules in self._rules.items()
            if (names := tuple([cell.get(axis, "") for axis in axes])) in rules
        ]
        return self.exclude[min(first)].because if first else None

    @cached_property
    def _rules(self) -> dict[tuple[Axis, ...], dict[tuple[str, ...], int]]:
        """The number of each exclusion, by the axes and the names that it states: to look up, however many there are.

        Of rules for the same cells the first stands.
        """
        rules: dict[tuple[Axis, ...], dict[tuple[str, ...], int]] = {}
        for number, rule in enumerate(self.exclude):
            rules.setdefault(tuple(rule.names), {}).setdefault(tuple(rule.names.values()), number)
        return rules

    @cached_property
    def n_cells(self) -> int:
        """The number of cells to run, all seeds counted."""
        counts = [Counter(ref.name for ref in refs) for refs in self.axes.values()]  # rules go by name
        cells = (
            math.prod(count[name] for count, name in zip(counts, names, strict=True))
            for names in product(*counts)
            if not self.exclude or self.excluded(dict(zip(AXES, names, strict=True))) is None
        )
        return len(self.seeds) * sum(cells)

    def to_dict(self) -> dict[str, object]:
        """Return the suite as plain data, with all defaults; written as YAML it loads as an equal suite."""
        lists = {f"{axis}s": [ref.to_dict() for ref in refs] for axis, refs in self.axes.items()}
        optional = {
            "tune": self.tune.to_dict() if self.tune else {},
            "trials": [trial.to_dict() for trial in self.trials],
            "exclude": [rule.to_dict() for rule in self.exclude],
            "plugins": list(self.plugins),
        }
        return (
            {"suite": self.name, "version": self.version}
            | ({"description": self.description} if self.description else {})
            | {"seeds": list(self.seeds)}
            | lists
            | {"metrics": [ref.to_dict() for ref in self.metrics]}
            | {key: value for key, value in optional.items() if value}
            | {"engine": self.engine, "device": self.device}
        )

    @cached_property
    def sha256(self) -> str:
        """Hash of the canonical JSON of ``to_dict``: equal for equal suites."""
        return content_key(self.to_dict())


def plugin_file(suite: Path, relative: str) -> Path:
    """Return the absolute path of a plug-in file that a suite names."""
    return (suite.parent / relative).resolve()
