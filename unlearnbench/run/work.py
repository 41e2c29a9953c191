"""Work on tasks by name, with failures as values."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import TargetModel
from unlearnbench.core.requests import Scenario
from unlearnbench.core.unlearning import Unlearner
from unlearnbench.engine.configured import Configured
from unlearnbench.engine.reference import Reference
from unlearnbench.run.observe import Episode, EpisodeParts, observe
from unlearnbench.run.plan import EpisodeTask
from unlearnbench.run.recipe import Recipe
from unlearnbench.run.store import Failure
from unlearnbench.run.workshop import Workshop

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


def _model(task: EpisodeTask, workshop: Workshop) -> TargetModel:
    model = workshop.make(task.model, TargetModel)
    options = _defense(task, workshop).training()
    model = Configured(model, options) if options.used else model
    return model if task.engine == "fast" else Reference(model)


def _defense(task: EpisodeTask, workshop: Workshop) -> Defense:
    return workshop.make(task.defense, Defense) if task.defense else Defense()


def make_episode(task: EpisodeTask, workshop: Workshop) -> Episode | Failure:
    """Run the episode a task names."""
    return guarded(
        lambda: observe(
            EpisodeParts(
                records=workshop.records(task.dataset),
                model=_model(task, workshop),
                unlearner=workshop.make(task.unlearner, Unlearner),
                scenario=workshop.make(task.scenario, Scenario),
                defense=_defense(task, workshop),
                sizes=task.sizes,
                side=task.side,
                original=task.original,
                seed=task.seed,
                device=task.device,
            )
        )
    )


class EpisodeWork:
    """:func:`make_episode` as a value that any process can take: there, it loads a workshop of its own, once."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @classmethod
    def here(cls, workshop: Workshop) -> EpisodeWork:
        """Return work that uses this process's workshop as long as it stays in this process."""
        work = cls(Recipe.of(workshop.registry))
        work.workshop = workshop
        return work

    def __call__(self, task: EpisodeTask) -> Episode | Failure:
        """Run the episode; UserError where the plug-ins are not those of the recipe."""
        return make_episode(task, self.workshop)

    def kernels(self, task: EpisodeTask) -> str:
        """Name what compiles the same kernels as this task: a model on its fast path, under one training."""
        defense = task.defense.label if task.defense else ""
        return f"{task.model.name} {defense}" if task.engine == "fast" else ""

    def __reduce__(self) -> tuple[type[EpisodeWork], tuple[Recipe]]:
        return EpisodeWork, (self.recipe,)

    @cached_property
    def workshop(self) -> Workshop:
        """The plug-ins to work with."""
        return Workshop(self.recipe.registry())
