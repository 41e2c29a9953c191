"""Instances of plug-ins: each is made once, checked against the contract of its kind, and identified for the store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import lru_cache, partial
from typing import TypeVar

from unlearnbench.core.attacks import Attack
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.errors import UserError, describe_error
from unlearnbench.core.plugin_calls import plugin_call
from unlearnbench.core.records import Records
from unlearnbench.hooks.parameters import build, resolve
from unlearnbench.hooks.records import AttackPlugin, Kind
from unlearnbench.hooks.registry import Registry
from unlearnbench.hooks.sources import Source
from unlearnbench.run.isolated import AttackProcess, IsolatedAttack
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.suite.model import PluginRef

T = TypeVar("T")


class PluginFaultError(UserError):
    """A plug-in's own code raised an exception. Where a suite is planned, it costs that plug-in's cells only."""


def ask(ref: PluginRef, question: Callable[[], T]) -> T:
    """Return a plug-in's answer. PluginFaultError naming it where it raises anything but a UserError."""
    try:
        return question()
    except (UserError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise PluginFaultError(f'{ref.kind} "{ref.name}": {describe_error(error)}') from error


class PluginInstances:
    """Makes plug-ins and loads data sets of one registry, each once."""

    def __init__(self, registry: Registry, checksums: Mapping[str, str] | None = None) -> None:
        """Hold the plug-ins of a registry; ``checksums`` are what the records of data sets must have, by their keys."""
        self.registry = registry
        self._checksums = checksums or {}
        self._made: dict[str, object] = {}
        self._records: dict[str, Records] = {}
        self._processes: dict[Source, tuple[AttackProcess, AttackProcess]] = {}

    def make(self, ref: PluginRef, contract: type[T]) -> T:
        """Return the instance of a plug-in. UserError where it does not derive from ``contract``."""
        if ref.key not in self._made:
            self._made[ref.key] = build(self.registry.get(ref.kind, ref.name), ref.params)
        made = self._made[ref.key]
        if not isinstance(made, contract):
            raise UserError(
                f'{ref.kind} "{ref.name}" is a {type(made).__name__}, which does not derive from {contract.__name__}'
            )
        return made

    def attack_twice(self, ref: PluginRef) -> tuple[Attack, Attack]:
        """Return an attack two times, such that what one remembers the other does not know.

        One that is not built in is in two processes of its own, which other attacks of the same source share.
        """
        attack, entry = self.make(ref, Attack), self.registry.get("attack", ref.name)
        if entry.source.kind == "builtin":
            return attack, deepcopy(attack)
        if entry.source not in self._processes:
            lock = PluginLock.of(self.registry).only(entry.source)
            self._processes[entry.source] = (AttackProcess(lock), AttackProcess(lock))
        first, second = self._processes[entry.source]
        parts = ref.name, ref.params, attack.needs, attack.learns
        return IsolatedAttack(*parts, first), IsolatedAttack(*parts, second)

    def records(self, ref: PluginRef) -> Records:
        """Return the records of a data set; they are loaded once. TypeError where they are none."""
        if ref.key not in self._records:
            dataset = self.make(ref, Dataset)
            with plugin_call():
                loaded: object = dataset.load()
            if not isinstance(loaded, Records):
                raise TypeError(f"load gives a {type(loaded).__name__}, which must be Records")
            self._check(ref, loaded.sha256)
            self._records[ref.key] = loaded
        return self._records[ref.key]

    def load_checked(self) -> None:
        """Load the data sets that have a checksum. UserError where one is not there, or is another one."""
        for key in self._checksums:
            ref = PluginRef(*json.loads(key))
            ask(ref, partial(self.records, ref))

    def _check(self, ref: PluginRef, sha256: str) -> None:
        if (wanted := self._checksums.get(ref.key, sha256)) != sha256:
            raise UserError(
                f'data set "{ref.name}": its records have the sha256 {sha256[:8]} here and {wanted[:8]} where the run '
                "was planned; give all machines the same data, and run again"
            )

    @property
    def lock(self) -> PluginLock:
        """What another process must load to do the same work: the plug-ins, and the data sets loaded so far."""
        return PluginLock.of(self.registry, {key: records.sha256 for key, records in self._records.items()})

    def identity(self, ref: PluginRef) -> dict[str, object]:
        """Return what a result depends on: name, revision, parameters and, if not built-in, the version of the code.

        A built-in plug-in is identified by its revision, so that results outlive a release that changed nothing.
        """
        entry = self.registry.get(ref.kind, ref.name)
        builtin = entry.source.kind == "builtin"
        source = "" if builtin else entry.source.sha256 or entry.source.version
        return {"name": ref.name, "revision": entry.plugin.revision, "params": dict(ref.params), "source": source}


@lru_cache(maxsize=1)
def locked_instances(lock: PluginLock) -> PluginInstances:
    """Return the instances that all work in this process shares. UserError where its plug-ins are not those locked."""
    return PluginInstances(lock.registry(), dict(lock.records))


def default_ref(registry: Registry, kind: Kind, name: str, params: Mapping[str, object] | None = None) -> PluginRef:
    """Return a plug-in with the given parameters and defaults for the rest."""
    return PluginRef(kind, name, resolve(registry.get(kind, name), params or {}))


def baseline_ref(attack: PluginRef, instances: PluginInstances) -> PluginRef:
    """Return what the degradation of an attack of a suite is measured against."""
    return baseline_of(instances.make(attack, Attack), instances.registry)


def baseline_of(attack: Attack, registry: Registry) -> PluginRef:
    """Return what an attack's degradation is measured against. UserError where there is no such attack."""
    baseline = attack.baseline
    return default_ref(registry, "attack", baseline.name or _classical(registry), baseline.params)


def _classical(registry: Registry) -> str:
    """Return the name of the built-in baseline that queries the original model only."""
    for plugin in (entry.plugin for entry in registry.all("attack") if entry.joins):
        if isinstance(plugin, AttackPlugin) and (plugin.role, plugin.versions) == ("baseline", "original"):
            return plugin.name
    raise UserError("the classical attack, which others are measured against, is disabled; drop --disable-plugin")
