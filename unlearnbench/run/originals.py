"""Making episodes, as work that any process can do: those that start from one original train it once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

from unlearnbench.core.defenses import Defense
from unlearnbench.core.executors import Failure
from unlearnbench.core.models import TargetModel
from unlearnbench.core.originals import Original
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.run.cells import EpisodeTask
from unlearnbench.run.episodes import Episode, EpisodeParts, observe
from unlearnbench.run.failures import guarded
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.work import LockedWork


def parts_of(task: EpisodeTask, instances: PluginInstances) -> EpisodeParts:
    """Return the plug-ins and numbers that an episode's task names."""
    return EpisodeParts(
        records=instances.records(task.dataset),
        model=instances.make(task.model, TargetModel),
        unlearner=instances.make(task.unlearner, Unlearner),
        scenario=instances.make(task.scenario, Scenario),
        defense=instances.make(task.defense, Defense) if task.defense else Defense(),
        sizes=task.sizes,
        side=task.side,
        original=task.original,
        seed=task.seed,
        device=task.device,
        engine=task.engine,
        population=task.population,
    )


class EpisodeWork(LockedWork):
    """Makes episodes, in any process: in another one it loads the plug-ins once."""

    def __init__(self, lock: PluginLock) -> None:
        super().__init__(lock)
        self._original: tuple[Hashable, Original] | None = None

    @classmethod
    def here(cls, instances: PluginInstances) -> EpisodeWork:
        """Return work that uses this process's plug-ins as long as it stays in this process."""
        work = cls(instances.lock)
        work.instances = instances
        return work

    def __call__(self, task: EpisodeTask) -> Episode | Failure:
        """Make an episode; UserError where the plug-ins are not those of the lock.

        After a failure the original is trained again, as an unlearner that fails may have changed it.
        """
        outcome = guarded(partial(self._observe, task, self.instances))
        if isinstance(outcome, Failure):
            self._original = None
        return outcome

    def _observe(self, task: EpisodeTask, instances: PluginInstances) -> Episode:
        parts = parts_of(task, instances)
        if self._original is None or self._original[0] != task.original_key:
            self._original = task.original_key, parts.make_original()
        return observe(parts, self._original[1])

    def shared(self, task: EpisodeTask) -> Hashable:
        """Return what the original of a task depends on: it is trained once for the episodes that start from it."""
        return task.original_key

    def kernels(self, task: EpisodeTask) -> str:
        """Return the name of the kernels that a model compiles: by its fast path, under these training options."""
        return f"{task.model.name} {sorted(task.options.used)}" if task.engine == "fast" else ""

    def device(self, task: EpisodeTask) -> str:
        """Return the device that models are trained on."""
        return task.device

    def portable(self, _: Sequence[EpisodeTask], /) -> EpisodeWork:
        """Return this work: it reads nothing but data sets, which each machine has."""
        return self

    def __reduce__(self) -> tuple[type[EpisodeWork], tuple[PluginLock]]:
        return EpisodeWork, (self.lock,)
