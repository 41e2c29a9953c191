"""Runs a plan: makes the episodes that the store lacks, then evaluates the cells. Can be interrupted and resumed."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from typing import Literal, TypeVar

from unlearnbench.core.executors import Executor, Failure, Task, Work
from unlearnbench.core.limits import Limits
from unlearnbench.core.plugin_calls import stdout_to
from unlearnbench.engine.boundary import require_toolbox
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cell_results import CellResult, is_outdated, measured_sha256, put_result
from unlearnbench.run.cells import CellGroup, CellTask, EpisodeTask, Plan, ReferenceTask
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.episode_arrays import to_arrays
from unlearnbench.run.episodes import Episode
from unlearnbench.run.evaluation import EvaluationWork
from unlearnbench.run.executing import closed_after, outcomes
from unlearnbench.run.failures import failure_of
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import EpisodeWork
from unlearnbench.run.progress import progress
from unlearnbench.run.reference_models import ReferenceWork
from unlearnbench.run.rerunning import made_again
from unlearnbench.run.store import Kind, Store

Rerun = Literal["never", "failed", "all"]
ModelTask = TypeVar("ModelTask", EpisodeTask, ReferenceTask)


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    done: int
    """Cells with a result."""
    failed: int
    """Cells without a result."""
    skipped: int
    """Cells that the suite excludes, or whose plug-ins do not go together."""


class Runner:
    """Runs plans into one store. Episodes and cells go through the executor; only this process writes."""

    def __init__(
        self, instances: PluginInstances, store: Store, executor: Executor, show_progress: bool = True
    ) -> None:
        self.instances = instances
        self.observers = instances.registry.observers
        self.store = store
        self.executor = executor
        self.show_progress = show_progress

    def run(self, plan: Plan, rerun: Rerun = "failed", limits: Limits | None = None) -> Outcome:
        """Make all results that the store lacks, and return the counts.

        Earlier failures are tried again unless ``rerun`` is ``never``; with ``all``, stored results are dropped first
        (see :func:`made_again`). ``limits`` take the place of the suite's. UserError where the store cannot be read or
        written, the executor fails, or a library is missing: nothing of the store is lost, and the next run goes on.
        """
        if any(task.boundary for task in plan.episodes.values()):
            require_toolbox()
        limits = plan.suite.limits if limits is None else limits
        self.store.make_ready()
        self.observers.before_run(suite=plan.suite, plan=plan)
        for cell in plan.failed:
            self.observers.on_cell_error(cell=cell, error=Failure("failed", cell.reason))
        if rerun == "all":
            for kind, key in made_again(plan, self.instances, self.store):
                self.store.drop(kind, key)
        # Processes that are started print too.
        with one_thread(), closed_after(self.executor), stdout_to(sys.stderr, 2):
            cells, models = self._cells_due(plan, rerun), rerun
            while self._make_models(plan, cells, models, limits):  # with a model that is made again, more cells are due
                known = {cell.key for cell in cells}
                cells, models = self._cells_due(plan, rerun), "never"
                if known.issuperset(cell.key for cell in cells):
                    break  # they read no other models, and these were just made or verified
            self._evaluate(cells, limits)
        done = len(self.store.stored("cell", plan.cells))
        outcome = Outcome(done, len(plan.cells) - done + len(plan.failed), len(plan.skipped))
        self.observers.after_run(suite=plan.suite, results=outcome)
        return outcome

    def make_episodes(self, episodes: Mapping[str, EpisodeTask], limits: Limits) -> None:
        """Make the episodes that the store lacks, by key, those that failed too; nothing is evaluated."""
        self.store.make_ready()
        with one_thread(), closed_after(self.executor), stdout_to(sys.stderr, 2):
            self._make_episodes(self._models_due("episode", episodes, episodes, "failed"), limits)

    def _cells_due(self, plan: Plan, rerun: Rerun) -> list[CellTask]:
        """Return the cells to evaluate. Stored entries are verified, so that damaged ones are made again now.

        Outdated ones are dropped: with every stored cell the store holds the models that it was computed from.
        """
        measured = cache(partial(measured_sha256, self.store))
        tasks = [CellTask(group, key) for group in _read_first(plan.groups) for key in group.cells]
        return [task for task in tasks if self._cell_due(task, rerun, measured)]

    def _cell_due(self, task: CellTask, rerun: Rerun, measured: Callable[[CellGroup], str]) -> bool:
        payload = self.store.sound_payload("cell", task.key)
        if payload is None:
            return self._may_be_made("cell", task.key, rerun)
        outdated = is_outdated(payload, measured(task.group))
        if outdated:
            self.store.drop("cell", task.key)
        return outdated

    def _make_models(self, plan: Plan, cells: Sequence[CellTask], rerun: Rerun, limits: Limits) -> bool:
        """Make the models that the store lacks, and of those that the cells read the damaged ones; False for none."""
        read = {task.key for group in {cell.group for cell in cells} for task in group.tasks}
        episodes = self._models_due("episode", plan.episodes, read, rerun)
        references = self._models_due("reference", plan.references, read, rerun)
        self._make_episodes(episodes, limits)
        self._make_references(references, limits)
        return bool(episodes or references)

    def _models_due(
        self, kind: Kind, tasks: Mapping[str, ModelTask], read: Collection[str], rerun: Rerun
    ) -> list[ModelTask]:
        """Return what is not stored, and of what cells will ``read`` what is damaged."""
        unread = self.store.stored(kind, tasks).difference(read)
        return [
            task
            for key, task in tasks.items()
            if key not in unread and self.store.sound_payload(kind, key) is None and self._may_be_made(kind, key, rerun)
        ]

    def _may_be_made(self, kind: Kind, key: str, rerun: Rerun) -> bool:
        return rerun != "never" or self.store.failure(kind, key) is None

    def _make_episodes(self, due: Sequence[EpisodeTask], limits: Limits) -> None:
        self._make("episode", due, EpisodeWork.here(self.instances), "training and unlearning", limits)

    def _make_references(self, due: Sequence[ReferenceTask], limits: Limits) -> None:
        """Make reference models after the episodes, in which it stands which records are queried."""
        self._make("reference", due, ReferenceWork.here(self.instances, self.store), "reference models", limits)

    def _make(
        self,
        kind: Kind,
        due: Sequence[ModelTask],
        work: Work[ModelTask, Episode | Failure],
        doing: str,
        limits: Limits,
    ) -> None:
        if not due:
            return
        with progress(doing, len(due), self.show_progress) as advance:
            for task, outcome in outcomes(self.executor, work, side_by_side(due, work.shared), limits, Episode):
                self._store_answers(kind, task, outcome)
                advance(isinstance(outcome, Failure))

    def _store_answers(self, kind: Kind, task: EpisodeTask | ReferenceTask, episode: Episode | Failure) -> None:
        if isinstance(episode, Failure):
            self.store.fail(kind, task.key, episode)
        elif failure := _unstorable(partial(self._put_answers, kind, task, episode)):
            self.store.fail(kind, task.key, failure)

    def _put_answers(self, kind: Kind, task: EpisodeTask | ReferenceTask, episode: Episode) -> None:
        payload = {
            "engine": task.engine,
            "device": task.device,
            "seconds": dict(episode.seconds),
            "memory": None if math.isnan(episode.memory) else episode.memory,
            "forget_sets": episode.forget_sets,
            "environment": self._environment,
        }
        self.store.put(kind, task.key, payload, to_arrays(episode))

    @cached_property
    def _environment(self) -> dict[str, str]:
        return fingerprint()

    def _evaluate(self, due: Sequence[CellTask], limits: Limits) -> None:
        work, measured = EvaluationWork.here(self.instances, self.store), cache(partial(measured_sha256, self.store))
        with progress("attacking", len(due), self.show_progress) as advance:
            for task, outcome in outcomes(self.executor, work, due, limits, CellResult):
                self._store_cell(task, outcome, measured)
                advance(isinstance(outcome, Failure))

    def _store_cell(self, task: CellTask, result: CellResult | Failure, measured: Callable[[CellGroup], str]) -> None:
        if isinstance(result, Failure):
            failure: Failure | None = result
        else:
            failure = _unstorable(partial(put_result, self.store, task.key, result, measured(task.group)))
        if failure is not None:
            self.store.fail("cell", task.key, failure)
            self.observers.on_cell_error(cell=task.cell, error=failure)
        elif isinstance(result, CellResult):
            self.observers.after_cell(cell=task.cell, results=result.estimates)


def _unstorable(put: Callable[[], None]) -> Failure | None:
    """Put a result into the store; return why not where no entry can hold it, which is the fault of a plug-in."""
    try:
        put()
    except (TypeError, ValueError) as error:
        return failure_of(error)
    return None


def _read_first(groups: Sequence[CellGroup]) -> list[CellGroup]:
    """Sort groups such that those whose results others read come first."""
    return sorted(groups, key=lambda group: group.retrained is not None)


def side_by_side(tasks: Iterable[Task], shared: Callable[[Task], Hashable]) -> list[Task]:
    """Return the tasks with those that share something side by side, otherwise in their order."""
    by_share: dict[Hashable, list[Task]] = {}
    for task in tasks:
        by_share.setdefault(shared(task), []).append(task)
    return [task for tasks in by_share.values() for task in tasks]
