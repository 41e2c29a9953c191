"""Which plug-ins a run uses, so that another process loads the same ones or refuses to work."""

from __future__ import annotations

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
    """The plug-ins of a registry."""

    wanted: frozenset[tuple[Kind, str, Source]]
    """Kind, name and source of each. A source has the version or the sha256 of its code."""

    @classmethod
    def of(cls, registry: Registry) -> PluginLock:
        """Return the lock of a registry."""
        return cls(frozenset((found.kind, found.name, found.source) for found in registry.plugins))

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
        if missing := sorted(f'{kind} "{name}" of {source}' for kind, name, source in self.wanted - found.keys()):
            raise UserError(f"a worker finds another version, or none, of {'; '.join(missing)}; run again")
        return Registry(tuple(found[key] for key in sorted(self.wanted, key=lambda key: key[:2])))


def _distributions() -> set[str]:
    points = metadata.entry_points(group=PROJECT)
    return {point.dist.name if point.dist else point.name for point in points}
