"""Work on tasks by name, with failures as values."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from unlearnbench.core.defenses import Defense
from unlearnbench.core.executors import Failure
from unlearnbench.core.models import TargetModel
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.reference import WithoutFastPath
from unlearnbench.engine.wrappers import WithTrainingOptions
from unlearnbench.run.cells import EpisodeTask
from unlearnbench.run.episodes import Episode, EpisodeParts, observe
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.plugin_lock import PluginLock

T = TypeVar("T")


class MissingError(Exception):
    """A result that other work needs is not there; the message says why."""


def guarded(work: Callable[[], T]) -> T | Failure:
    """Return what ``work`` returns, or its exception as a :class:`Failure`: one cell never takes others with it."""
    try:
        return work()
    except MissingError as error:
        return Failure("failed", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a plug-in may raise anything, and that is a result
        reason = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        return Failure("failed", reason, traceback.format_exc())


def _model(task: EpisodeTask, instances: PluginInstances) -> TargetModel:
    model = instances.make(task.model, TargetModel)
    options = _defense(task, instances).training()
    model = WithTrainingOptions(model, options) if options.used else model
    return model if task.engine == "fast" else WithoutFastPath(model)


def _defense(task: EpisodeTask, instances: PluginInstances) -> Defense:
    return instances.make(task.defense, Defense) if task.defense else Defense()


def make_episode(task: EpisodeTask, instances: PluginInstances) -> Episode | Failure:
    """Run the episode a task names."""
    return guarded(
        lambda: observe(
            EpisodeParts(
                records=instances.records(task.dataset),
                model=_model(task, instances),
                unlearner=instances.make(task.unlearner, Unlearner),
                scenario=instances.make(task.scenario, Scenario),
                defense=_defense(task, instances),
                sizes=task.sizes,
                side=task.side,
                original=task.original,
                seed=task.seed,
                device=task.device,
            )
        )
    )


class EpisodeWork:
    """:func:`make_episode` as a value that any process can take: there, it loads plug-ins of its own, once."""

    def __init__(self, lock: PluginLock) -> None:
        self.lock = lock

    @classmethod
    def here(cls, instances: PluginInstances) -> EpisodeWork:
        """Return work that uses this process's instances as long as it stays in this process."""
        work = cls(PluginLock.of(instances.registry))
        work.instances = instances
        return work

    def __call__(self, task: EpisodeTask) -> Episode | Failure:
        """Run the episode; UserError where the plug-ins are not those of the lock."""
        return make_episode(task, self.instances)

    def kernels(self, task: EpisodeTask) -> str:
        """Name what compiles the same kernels as this task: a model on its fast path, under one training."""
        defense = task.defense.label if task.defense else ""
        return f"{task.model.name} {defense}" if task.engine == "fast" else ""

    def __reduce__(self) -> tuple[type[EpisodeWork], tuple[PluginLock]]:
        return EpisodeWork, (self.lock,)

    @cached_property
    def instances(self) -> PluginInstances:
        """The plug-ins to work with."""
        return PluginInstances(self.lock.registry())
