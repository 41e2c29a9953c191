"""What a suite is once every name and parameter in it has been checked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Literal

from unlearnbench.core.hashing import canonical_json, content_key
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.hooks.records import Kind

Axis = Literal["dataset", "model", "unlearner", "scenario", "defense", "attack"]
"""A direction of the grid; a cell is one entry of each, and a seed."""
AXES: tuple[Axis, ...] = ("dataset", "model", "unlearner", "scenario", "defense", "attack")

Engine = Literal["auto", "fast", "reference"]
Device = Literal["auto", "cpu", "cuda", "mps"]


@dataclass(frozen=True)
class PluginRef:
    """A plug-in with all its parameters, defaults filled in.

    ``label`` is the name together with the parameters that differ from their defaults, such as
    ``decision-tree(max_leaf_nodes=20)``; no two entries of a list share one. ``shadow`` is what the adversary has in
    place of a data set or model that it does not know.
    """

    kind: Kind
    name: str
    params: Mapping[str, object] = field(default_factory=dict, hash=False)
    label: str = ""
    shadow: PluginRef | None = None

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name)

    @cached_property
    def key(self) -> str:
        """Kind, name and parameters as text: equal for refs that make the same plug-in, whatever their label."""
        return canonical_json([self.kind, self.name, dict(self.params)])

    def on(self, side: Side) -> PluginRef:
        """Return what one side works with."""
        return self.shadow if side == "shadow" and self.shadow is not None else self

    def to_dict(self) -> dict[str, object]:
        """Return the entry as a suite file would hold it, parameters in alphabetical order."""
        entry: dict[str, object] = {"name": self.name, "params": dict(sorted(self.params.items()))}
        return entry | ({"shadow": self.shadow.to_dict()} if self.shadow else {})


@dataclass(frozen=True)
class DatasetRef(PluginRef):
    """A data set with the sizes of its episodes on either side. ``named`` says that the suite gives its label."""

    episodes: EpisodeSizes = field(default_factory=EpisodeSizes)
    adversary: EpisodeSizes = field(default_factory=EpisodeSizes)
    named: bool = False

    def to_dict(self) -> dict[str, object]:
        """Return the entry as a suite file would hold it, with all sizes."""
        sizes = {"episodes": asdict(self.episodes), "adversary": asdict(self.adversary)}
        return super().to_dict() | ({"label": self.label} if self.named else {}) | sizes


@dataclass(frozen=True)
class Exclusion:
    """A part of the grid that is not run, and why: all cells with these plug-in names on these axes."""

    names: Mapping[Axis, str] = field(hash=False)
    because: str

    def to_dict(self) -> dict[str, object]:
        """Return the rule as a suite file would hold it."""
        return {axis: self.names[axis] for axis in AXES if axis in self.names} | {"because": self.because}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A grid of cells to run and how; ``seeds`` x the six axes, less what ``exclude`` names.

    ``plugins`` are paths of plug-in files relative to the suite file, which is at ``path``. The path takes no part in
    comparison, ``to_dict`` or ``sha256``: a suite is the same wherever it lies.
    """

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
    plugins: tuple[str, ...] = ()
    engine: Engine = "auto"
    device: Device = "auto"
    path: Path | None = field(default=None, compare=False)

    @property
    def axes(self) -> Mapping[Axis, tuple[PluginRef, ...]]:
        """The entries of the grid by axis, in the order in which they are run and shown."""
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
        """The plug-in files this suite needs, located from where it lies."""
        return tuple(plugin_file(self.path or Path(), relative) for relative in self.plugins)

    def sizes(self, dataset: DatasetRef, side: Side) -> EpisodeSizes:
        """Return how much one side trains and asks on a data set."""
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
        """Return the suite as plain data, everything resolved; written as YAML it loads as the same suite."""
        lists = {f"{axis}s": [ref.to_dict() for ref in refs] for axis, refs in self.axes.items()}
        optional = {"exclude": [rule.to_dict() for rule in self.exclude], "plugins": list(self.plugins)}
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
    """Return where a plug-in file that a suite names lies."""
    return (suite.parent / relative).resolve()
