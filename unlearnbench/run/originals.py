"""The unit of work of a run: an original model with all episodes that start from it, so that it is trained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial

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


@dataclass(frozen=True)
class OriginalTask:
    """Episodes that start from one original."""

    episodes: tuple[EpisodeTask, ...]

    @property
    def kernels(self) -> str:
        """The name of the kernels that the model compiles: by its fast path, under these training options."""
        first = self.episodes[0]
        return f"{first.model.name} {sorted(first.options.used)}" if first.engine == "fast" else ""


def by_original(episodes: Iterable[EpisodeTask]) -> list[OriginalTask]:
    """Group episodes by the original that they start from; groups and their episodes keep their order."""
    groups: dict[Hashable, list[EpisodeTask]] = {}
    for episode in episodes:
        groups.setdefault(episode.original_key, []).append(episode)
    return [OriginalTask(tuple(group)) for group in groups.values()]


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
    )


def run_episodes(task: OriginalTask, instances: PluginInstances) -> dict[str, Episode | Failure]:
    """Run the episodes; return each by its store key. One that fails costs no other.

    If the original cannot be trained, all episodes that use it fail with that reason. After a failure it is trained
    again, as an unlearner that fails may have changed it.
    """
    shared: list[Original] = []

    def run(episode: EpisodeTask) -> Episode:
        parts = parts_of(episode, instances)
        if not shared:
            shared.append(parts.make_original())
        return observe(parts, shared[0])

    outcomes: dict[str, Episode | Failure] = {}
    for episode in task.episodes:
        outcomes[episode.key] = outcome = guarded(partial(run, episode))
        if isinstance(outcome, Failure):
            shared.clear()
    return outcomes


class OriginalWork:
    """:func:`run_episodes` as a value that any process can take; in another process it loads the plug-ins once."""

    def __init__(self, lock: PluginLock) -> None:
        self.lock = lock

    @classmethod
    def here(cls, instances: PluginInstances) -> OriginalWork:
        """Return work that uses this process's plug-ins as long as it stays in this process."""
        work = cls(PluginLock.of(instances.registry))
        work.instances = instances
        return work

    def __call__(self, task: OriginalTask) -> dict[str, Episode | Failure]:
        """Run the episodes of an original; UserError where the plug-ins are not those of the lock."""
        return run_episodes(task, self.instances)

    def kernels(self, task: OriginalTask) -> str:
        """Return the name of the kernels that the task compiles, "" for none."""
        return task.kernels

    def __reduce__(self) -> tuple[type[OriginalWork], tuple[PluginLock]]:
        return OriginalWork, (self.lock,)

    @cached_property
    def instances(self) -> PluginInstances:
        """The plug-ins to work with."""
        return PluginInstances(self.lock.registry())
