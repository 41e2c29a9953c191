"""What each plug-in of a run is in tables: an entry, a baseline or a control."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from unlearnbench.core.errors import UserError
from unlearnbench.core.versions import Versions
from unlearnbench.engine.unlearners import FunctionUnlearner
from unlearnbench.hooks.records import AttackPlugin, EntryRole, UnlearnerPlugin
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.suite.model import AXES, PluginRef, Suite


@dataclass(frozen=True)
class PluginRole:
    """What the record of one plug-in declares for tables. ValueError for unknown words."""

    role: EntryRole = "entry"
    """An entry is ranked; baselines and controls are not."""
    versions: Versions | None = None
    """Of an attack: which models it queries."""
    tests_sample: bool = False
    """Of an attack: whether the results of a setting are invalid where it beats chance."""
    sees: tuple[str, ...] | None = field(default=None, compare=False)
    """Of an unlearner: all that the engine lets it read; None where nothing keeps it from reading everything."""

    @property
    def access(self) -> str:
        """What an unlearner can read, in short: F, R and V for forget, retain and validation set."""
        if self.sees is None:
            return ""
        sets = [letter for name, letter in _LETTERS.items() if name in self.sees]
        return ", ".join([*(sets or ["no set"]), *([] if "labels" in self.sees or not sets else ["no labels"])])

    def __post_init__(self) -> None:
        if self.role not in get_args(EntryRole) or self.versions not in (None, *get_args(Versions)):
            raise ValueError(f"{self.role!r}, {self.versions!r}: not a role and versions that a plug-in can declare")
        if not isinstance(self.tests_sample, bool):
            raise ValueError(f"tests_sample must be true or false, got {self.tests_sample!r}")


@dataclass(frozen=True)
class Roles:
    """The roles of plug-ins by axis and name; a plug-in that is not listed is an entry."""

    plugins: Mapping[str, Mapping[str, PluginRole]] = field(default_factory=dict)

    @classmethod
    def of(cls, suite: Suite, registry: Registry) -> Roles:
        """Return the roles of a suite's plug-ins, as their records declare them."""
        return cls({
            axis: {ref.name: _declared(registry.get(ref.kind, ref.name)) for ref in refs}
            for axis, refs in suite.axes.items()
        })  # fmt: skip

    def of_plugin(self, ref: PluginRef) -> PluginRole:
        """Return the role of the plug-in on its axis."""
        return self.plugins.get(ref.kind, {}).get(ref.name, PluginRole())

    def missing(self, axes: Iterable[Mapping[str, PluginRef]]) -> list[str]:
        """Return the plug-ins of rows that are not listed, as "axis name"."""
        used = {(axis, row[axis].name) for row in axes for axis in AXES}
        return sorted(f"{axis} {name}" for axis, name in used if name not in self.plugins.get(axis, {}))

    def changed(self, registry: Registry) -> list[str]:
        """Return the plug-ins whose record in the registry declares something else, as "axis name"."""
        return sorted(
            f"{entry.kind} {entry.name}"
            for entry in registry.all()
            if (found := self.plugins.get(entry.kind, {}).get(entry.name)) and found != _declared(entry)
        )

    def to_dict(self) -> dict[str, object]:
        """Return the roles as JSON-able data; what only attacks declare is written for them only."""
        return {
            axis: {name: _plain(found) for name, found in sorted(plugins.items())}
            for axis, plugins in self.plugins.items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Roles:
        """Return the roles that :meth:`to_dict` wrote; TypeError or ValueError for other data."""
        return cls({
            axis: {name: _from_plain(declared) for name, declared in plugins.items()}
            for axis, plugins in data.items()
        })  # fmt: skip


def _declared(entry: Registered) -> PluginRole:
    plugin = entry.plugin
    if isinstance(plugin, AttackPlugin):
        return PluginRole(plugin.role, plugin.versions, plugin.tests_sample)
    return PluginRole(plugin.role, sees=_enforced(entry) if isinstance(plugin, UnlearnerPlugin) else None)


def _enforced(entry: Registered) -> tuple[str, ...] | None:
    """Return what the engine lets an unlearner read; None for what it does not guard, or cannot load here."""
    try:
        made = entry.load()
    except UserError:
        return None
    return made.sees if issubclass(made, FunctionUnlearner) else None


def _plain(found: PluginRole) -> dict[str, object]:
    optional = {"versions": found.versions, "tests_sample": found.tests_sample}
    sees = {} if found.sees is None else {"sees": list(found.sees)}
    return {"role": found.role, **{name: value for name, value in optional.items() if value}, **sees}


def _from_plain(declared: Mapping[str, Any]) -> PluginRole:
    sees = declared.get("sees")
    return PluginRole(**{**declared, "sees": None if sees is None else tuple(sees)})


_LETTERS = {"forget-set": "F", "retain-set": "R", "validation-set": "V", "training-log": "L"}
