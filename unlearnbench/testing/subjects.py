"""The plug-ins that a name, a file or a distribution refers to."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unlearnbench.core.errors import UserError
from unlearnbench.hooks.records import RECORDS
from unlearnbench.hooks.registry import Registered, Registry, load_registry


def subjects(target: str, files: Iterable[str | Path] = ()) -> tuple[Registry, tuple[Registered, ...]]:
    """Return the registry and those of its plug-ins that ``target`` names.

    ``target`` is the path of a plug-in file (it ends in .py), the name of an installed distribution, a plug-in's name
    or, where several kinds share it, ``kind:name``. UserError where it names nothing.
    """
    if target.endswith(".py"):
        registry = load_registry([*files, target])
        path = str(Path(target).expanduser().resolve())
        found = tuple(plugin for plugin in registry.plugins if plugin.source.path == path)
        if not found:
            raise UserError("offers no plug-in to check", target)
        return registry, found
    registry = load_registry(files)
    return registry, _of_distribution(registry, target) or _named(registry, target)


def _of_distribution(registry: Registry, name: str) -> tuple[Registered, ...]:
    broken = [str(broken) for broken in registry.broken if broken.source.name == name]
    if broken:
        raise UserError(f"cannot be used: {'; '.join(broken)}")
    return tuple(found for found in registry.plugins if found.source.name == name)


def _named(registry: Registry, target: str) -> tuple[Registered, ...]:
    kind, colon, name = target.rpartition(":")
    if colon and kind in RECORDS:
        return (registry.get(kind, name),)
    return registry.named(target)
