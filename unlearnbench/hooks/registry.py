"""The registry: all plug-ins that a run can use, as one immutable value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from pathlib import Path

from unlearnbench.core.errors import UserError, describe_error, did_you_mean
from unlearnbench.core.messages import shown
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.hooks.collect import Collector
from unlearnbench.hooks.observers import Observers
from unlearnbench.hooks.records import RECORDS, Kind, MetricPlugin, Plugin
from unlearnbench.hooks.sources import BrokenPlugin, Source

__all__ = ["BrokenPlugin", "Observers", "Registered", "Registry", "Source", "load_registry"]


@dataclass(frozen=True)
class Registered:
    """A plug-in and its source."""

    plugin: Plugin
    source: Source

    @property
    def name(self) -> str:
        """The plug-in's name."""
        return self.plugin.name

    @property
    def kind(self) -> Kind:
        """The plug-in's kind."""
        return self.plugin.kind

    @property
    def factory(self) -> str:
        """The path of the class: ``package.module:Class``."""
        factory = self.plugin.factory
        return factory if isinstance(factory, str) else f"{self.source.name}:{factory.__name__}"

    @property
    def joins(self) -> bool:
        """Whether it is in every plan, listed or not: built-in baselines, controls and primary metrics are.

        Those of others are not: what is installed must not change the results of a suite.
        """
        primary = isinstance(self.plugin, MetricPlugin) and self.plugin.primary
        return self.source.kind == "builtin" and (primary or self.plugin.role != "entry")

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"'

    def load(self) -> type:
        """Import the class; UserError naming the plug-in and its source where that fails."""
        if isinstance(self.plugin.factory, type):
            return self.plugin.factory
        module, _, attribute = self.plugin.factory.partition(":")
        try:
            with plugin_call():
                found = getattr(import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code may raise anything
            raise UserError(f"{self} of {self.source} cannot be loaded: {describe_error(error)}") from error
        if not isinstance(found, type):
            raise UserError(f"{self} of {self.source} cannot be loaded: {self.plugin.factory} is not a class")
        return found


@dataclass(frozen=True)
class Registry:
    """The plug-ins that were found, sorted by kind and name; ``broken`` tells of those that are not used."""

    plugins: tuple[Registered, ...]
    broken: tuple[BrokenPlugin, ...] = ()
    observers: Observers = field(default_factory=Observers)

    def all(self, kind: Kind | None = None) -> tuple[Registered, ...]:
        """Return all plug-ins, or those of one kind."""
        return tuple(found for found in self.plugins if kind in (None, found.kind))

    def get(self, kind: Kind, name: str) -> Registered:
        """Return one plug-in; UserError with the closest name where there is none."""
        known = self._by_kind.get(kind, {})
        if name not in known:
            raise UserError(f"unknown {kind} {shown(name)}{did_you_mean(name, known)}{self._broken_note()}")
        return known[name]

    @cached_property
    def _by_kind(self) -> dict[Kind, dict[str, Registered]]:
        index: dict[Kind, dict[str, Registered]] = {}
        for found in self.plugins:
            index.setdefault(found.kind, {})[found.name] = found
        return index

    def named(self, name: str) -> tuple[Registered, ...]:
        """Return the plug-ins of any kind that have this name; UserError where there is none."""
        found = tuple(plugin for plugin in self.plugins if plugin.name == name)
        if not found:
            close = get_close_matches(name, {plugin.name for plugin in self.plugins})
            raise UserError(f"unknown plug-in {shown(name)}{did_you_mean(name, close)}{self._broken_note()}")
        return found

    def _broken_note(self) -> str:
        return f" (not used: {'; '.join(map(str, self.broken))})" if self.broken else ""


def load_registry(files: Iterable[str | Path] = (), disabled: Iterable[str] = (), discover: bool = True) -> Registry:
    """Collect the built-in plug-ins, those of installed distributions (unless ``discover`` is False) and of ``files``.

    ``disabled`` leaves plug-ins out, by ``name``, by ``kind:name``, or all of a distribution or file by its name; such
    a distribution or file is not imported. UserError where two plug-ins of a kind share a name, where a file cannot be
    used, or for a name in ``disabled`` that does not exist.
    """
    off = frozenset(disabled)
    collector = Collector()
    collector.add_builtin()
    if discover:
        collector.add_distributions(off)
    collector.add_files(files, off)
    found = [Registered(plugin, source) for plugin, source in collector.plugins()]
    _check_disabled(off, found, collector.sources)
    kept = [plugin for plugin in found if off.isdisjoint(_names(plugin))]
    _check_clashes(kept)
    order = list(RECORDS)
    return Registry(
        tuple(sorted(kept, key=lambda plugin: (order.index(plugin.kind), plugin.name))),
        tuple(collector.broken),
        Observers(tuple(collector.observers())),
    )


def _names(plugin: Registered) -> set[str]:
    return {plugin.name, f"{plugin.kind}:{plugin.name}"}


def _check_disabled(disabled: frozenset[str], found: list[Registered], sources: list[Source]) -> None:
    known = set[str]().union(*map(_names, found), *({source.name, source.path} for source in sources))
    for name in sorted(disabled - known):
        close = get_close_matches(name, known)
        raise UserError(f"--disable-plugin {name}: there is no such plug-in or distribution{did_you_mean(name, close)}")


def _check_clashes(found: list[Registered]) -> None:
    first: dict[tuple[Kind, str], Registered] = {}
    for plugin in found:  # built-in ones come first, so the message asks to remove the other one
        other = first.setdefault((plugin.kind, plugin.name), plugin)
        if other is not plugin:
            raise UserError(_clash(other, plugin))


def _clash(first: Registered, second: Registered) -> str:
    ours = first.source.kind == "builtin"
    removable = [second.source.name] if ours else sorted({first.source.name, second.source.name})
    flags = " or ".join(f"--disable-plugin {name}" for name in removable)
    rule = "; a built-in cannot be replaced" if ours else ""
    return f"{second} is offered both by {first.source} and by {second.source}{rule}: rename one, or use {flags}"
