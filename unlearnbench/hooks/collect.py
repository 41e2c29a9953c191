"""Collects plug-ins from each source separately, so that a broken one does not affect the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Final, cast

import pluggy
from pluggy import HookImpl

from unlearnbench import __version__
from unlearnbench.core.errors import UserError, describe_error, did_you_mean
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.hooks import specs
from unlearnbench.hooks.observers import HOOKS, Observer
from unlearnbench.hooks.records import RECORDS, Kind, Plugin
from unlearnbench.hooks.sources import (
    BrokenPlugin,
    Source,
    distribution_of,
    import_distribution,
    import_file,
    position,
)
from unlearnbench.hooks.specs import PROJECT

BUILTIN: Final = tuple(f"unlearnbench.builtin.{kind}s.plugins" for kind in RECORDS)
"""The modules that register the built-in plug-ins, one a kind, beside the classes that they name."""


class Collector:
    """Adds sources one by one; then ``plugins`` and ``observers`` yield what their hooks return.

    An error in an installed distribution is recorded in ``broken``. An error in a file that the user named raises
    :class:`UserError`.
    """

    def __init__(self) -> None:
        self.broken: list[BrokenPlugin] = []
        """Distributions, or hooks of them, that could not be used."""
        self.sources: list[Source] = []
        """All distributions and files, disabled ones too."""
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self._source_of: dict[str, Source] = {}

    def add_builtin(self) -> None:
        """Add the built-in plug-ins, through the same hooks as others."""
        for module in BUILTIN:
            self._register(import_module(module), Source("builtin", PROJECT, __version__))

    def add_distributions(self, disabled: frozenset[str]) -> None:
        """Add each installed distribution with an entry point of our group; disabled ones are not imported."""
        for entry_point in metadata.entry_points(group=PROJECT):
            source = distribution_of(entry_point)
            self.sources.append(source)
            if source.name in disabled:
                continue
            try:
                with plugin_call():
                    imported = import_distribution(entry_point)
                self._register(*imported)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - third-party code may raise anything
                self.broken.append(BrokenPlugin(source, describe_error(error)))

    def add_files(self, files: Iterable[str | Path], disabled: frozenset[str]) -> None:
        """Add one-file plug-ins, each once."""
        for path in dict.fromkeys(Path(file).expanduser().resolve() for file in files):
            self.sources.append(Source("file", path.name, path=str(path)))
            if disabled.isdisjoint({path.name, str(path)}):
                with plugin_call():
                    module, source = import_file(path)
                try:
                    self._register(module, source)
                except (UserError, pluggy.PluginValidationError) as error:
                    raise UserError(describe_error(error), str(path)) from error

    def plugins(self) -> Iterator[tuple[Plugin, Source]]:
        """Yield all records with their sources."""
        for kind in RECORDS:
            for implementation in self._implementations(f"{PROJECT}_{kind}s"):
                source = self._source_of[implementation.plugin_name]
                for plugin in self._call(kind, implementation, source):
                    yield plugin, source

    def observers(self) -> Iterator[Observer]:
        """Yield all observers with their sources."""
        for hook in HOOKS:
            for found in self._implementations(f"{PROJECT}_{hook}"):
                yield Observer(hook, found.function, found.argnames, self._source_of[found.plugin_name])

    def _implementations(self, hook: str) -> list[HookImpl]:
        return list(getattr(self._manager.hook, hook).get_hookimpls())

    def _call(self, kind: Kind, implementation: HookImpl, source: Source) -> list[Plugin]:
        hook = cast("Callable[[], Iterable[object]]", implementation.function)
        try:
            with plugin_call():
                return [_checked(kind, record) for record in hook()]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # third-party code may raise anything
            message = f"{PROJECT}_{kind}s fails: {describe_error(error)}"
            if source.kind == "file":
                raise UserError(message, position(error, source.path)) from error
            self.broken.append(BrokenPlugin(source, message))
            return []

    def _register(self, plugin: object, source: Source) -> None:
        """Register a plug-in completely or not at all; UserError where it has no hook or an unknown one."""
        name = f"{source}#{len(self._source_of)}"
        try:
            self._manager.register(plugin, name)
            self._check_hooks(plugin)
        except Exception:
            if self._manager.get_plugin(name) is plugin:
                self._manager.unregister(plugin, name)
            raise
        self._source_of[name] = source

    def _check_hooks(self, plugin: object) -> None:
        callers = self._manager.get_hookcallers(plugin)
        if not callers:
            raise UserError("implements no hook: is @hookimpl missing above its functions?")
        known = [name for name in vars(specs) if name.startswith(f"{PROJECT}_")]
        for caller in callers:
            if not caller.has_spec():
                raise UserError(f'there is no hook "{caller.name}"{did_you_mean(caller.name, known)}')
            for found in caller.get_hookimpls():
                if found.plugin is plugin and (found.wrapper or found.hookwrapper):
                    raise UserError(f"{caller.name} must not be a wrapper")
        self._manager.check_pending()


def _checked(kind: Kind, record: object) -> Plugin:
    if not isinstance(record, RECORDS[kind]):
        raise UserError(f"must yield {RECORDS[kind].__name__}, got {record!r:.80}")
    return record
