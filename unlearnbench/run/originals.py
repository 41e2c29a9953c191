"""Making episodes, as work that any process can do: those that start from one original train it once."""

from __future__ import annotations

from collections.abc import Sequence

from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import TargetModel
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.run.cells import EpisodeTask
from unlearnbench.run.episodes import Episode, EpisodeParts, observe
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.work import OriginalWork


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
        relearn=task.relearn,
        copies=task.copies,
        boundary=task.boundary,
    )


class EpisodeWork(OriginalWork[EpisodeTask]):
    """Makes episodes, in any process: in another one it loads the plug-ins once."""

    @classmethod
    def here(cls, instances: PluginInstances) -> EpisodeWork:
        """Return work that uses this process's plug-ins as long as it stays in this process."""
        work = cls(instances.lock)
        work.instances = instances
        return work

    def _observe(self, task: EpisodeTask) -> Episode:
        parts = parts_of(task, self.instances)
        return observe(parts, self._kept(task.original_key, parts.make_original))

    def portable(self, _: Sequence[EpisodeTask], /) -> EpisodeWork:
        """Return this work: it reads nothing but data sets, which each machine has."""
        return self

    def __reduce__(self) -> tuple[type[EpisodeWork], tuple[PluginLock]]:
        return EpisodeWork, (self.lock,)
