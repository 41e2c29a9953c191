"""What all work of a run has in common: plug-ins that it loads where it is done, and what results depend on there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from functools import cached_property, partial
from typing import Generic, TypeVar

from unlearnbench.core.executors import Failure
from unlearnbench.core.originals import Original
from unlearnbench.run.cells import EpisodeTask, ReferenceTask
from unlearnbench.run.environment import fingerprint, instructions, package_sha256
from unlearnbench.run.episodes import Episode
from unlearnbench.run.failures import guarded
from unlearnbench.run.instances import PluginInstances, locked_instances
from unlearnbench.run.plugin_lock import PluginLock

OriginalTask = TypeVar("OriginalTask", EpisodeTask, ReferenceTask)


class LockedWork:
    """Work that uses the plug-ins and data sets of a lock."""

    def __init__(self, lock: PluginLock) -> None:
        self.lock = lock

    @cached_property
    def instances(self) -> PluginInstances:
        """The plug-ins to work with."""
        return locked_instances(self.lock)

    def fingerprint(self) -> dict[str, str]:
        """Return what results depend on here. UserError where plug-ins or data sets are not those of the lock."""
        self.instances.load_checked()
        return {**fingerprint(), "instructions": instructions(), "code of unlearnbench": package_sha256()}


class OriginalWork(LockedWork, ABC, Generic[OriginalTask]):
    """Work that starts from originals; it keeps the last one for the next task that starts from it."""

    def __init__(self, lock: PluginLock) -> None:
        super().__init__(lock)
        self._original: tuple[Hashable, Original] | None = None

    def __call__(self, task: OriginalTask) -> Episode | Failure:
        """Make an episode; UserError where the plug-ins are not those of the lock.

        After a failure the original is trained again, as an unlearner that fails may have changed it.
        """
        outcome = guarded(partial(self._observe, task))
        if isinstance(outcome, Failure):
            self._original = None
        return outcome

    @abstractmethod
    def _observe(self, task: OriginalTask) -> Episode: ...

    def _kept(self, key: Hashable, make: Callable[[], Original]) -> Original:
        """Return the original of this key, made only if it is not the last one."""
        if self._original is None or self._original[0] != key:
            self._original = key, make()
        return self._original[1]

    def shared(self, task: OriginalTask) -> Hashable:
        """Return what the original of a task depends on: it is trained once for the tasks that start from it."""
        return task.original_key

    def kernels(self, task: OriginalTask) -> str:
        """Return the name of the kernels that a model compiles: by its fast path, under these training options."""
        return f"{task.model.name} {sorted(task.options.used)}" if task.engine == "fast" else ""

    def device(self, task: OriginalTask) -> str:
        """Return the device that models are trained on."""
        return task.device
