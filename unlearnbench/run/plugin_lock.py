"""Which plug-ins and data a run uses, so that another process loads the same ones or refuses to work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.collect import Collector
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import Registered, Registry
from unlearnbench.hooks.sources import Source
from unlearnbench.hooks.specs import PROJECT


@dataclass(frozen=True)
class PluginLock:
    """The plug-ins of a registry, and the data sets that were loaded with them."""

    wanted: frozenset[tuple[Kind, str, Source]]
    """Kind, name and source of each. A source has the version or the sha256 of its code."""

    records: frozenset[tuple[str, str]] = frozenset()
    """The key of each data set, with the sha256 of its records."""

    @classmethod
    def of(cls, registry: Registry, records: Mapping[str, str] | None = None) -> PluginLock:
        """Return the lock of a registry; ``records`` are checksums by the keys of data sets."""
        wanted = frozenset((found.kind, found.name, found.source) for found in registry.plugins)
        return cls(wanted, frozenset((records or {}).items()))

    def only(self, source: Source) -> PluginLock:
        """Return the lock of the plug-ins of one source."""
        return PluginLock(frozenset(found for found in self.wanted if found[2] == source))

    def registry(self) -> Registry:
        """Load the plug-ins, without observers. UserError where one is missing or its code has changed."""
        sources = {source for _, _, source in self.wanted}
        names = {source.name for source in sources if source.kind == "distribution"}
        files = sorted(source.path for source in sources if source.kind == "file")
        collector = Collector()
        collector.add_builtin()
        collector.add_distributions(frozenset(_distributions() - names))
        collector.add_files(files, frozenset())
        found = {
            (plugin.kind, plugin.name, source): Registered(plugin, source) for plugin, source in collector.plugins()
        }
        here = {key[:2]: key[2] for key in found}
        missing = sorted(self.wanted - found.keys(), key=lambda key: key[:2])
        if missing:
            told = "; ".join(_difference(*each, here.get(each[:2])) for each in missing)
            raise UserError(f"a worker finds another version, or none, of {told}; run again")
        return Registry(tuple(found[key] for key in sorted(self.wanted, key=lambda key: key[:2])))


def _difference(kind: Kind, name: str, wanted: Source, here: Source | None) -> str:
    found = f"it finds {_version(here)}" if here else "it finds none"
    return f'{kind} "{name}" of {wanted} ({_version(wanted)} is wanted; {found})'


def _version(source: Source) -> str:
    return f"{source.version} {source.sha256[:8]}".strip()


def _distributions() -> set[str]:
    points = metadata.entry_points(group=PROJECT)
    return {point.dist.name if point.dist else point.name for point in points}
