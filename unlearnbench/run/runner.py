"""Runs a plan: makes the episodes that the store lacks, then evaluates the cells. Can be interrupted and resumed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal, TypeVar

from unlearnbench.core.executors import Executor, Failure, Task, Work
from unlearnbench.core.limits import Limits
from unlearnbench.core.plugin_calls import stdout_to
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cell_results import CellResult, put_result
from unlearnbench.run.cells import Cell, CellGroup, CellTask, EpisodeTask, Plan, ReferenceTask
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.episodes import Episode, to_arrays
from unlearnbench.run.evaluation import EvaluationWork
from unlearnbench.run.failures import failure_of
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import EpisodeWork
from unlearnbench.run.progress import progress
from unlearnbench.run.reference_models import ReferenceWork
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

        Earlier failures are tried again unless ``rerun`` is ``never``; with ``all``, stored results are dropped first.
        ``limits`` take the place of the suite's. UserError where the store cannot be read or written: nothing of it is
        lost, and the next run goes on.
        """
        limits = plan.suite.limits if limits is None else limits
        self.store.make_ready()
        self.observers.before_run(suite=plan.suite, plan=plan)
        for cell in plan.failed:
            self.observers.on_cell_error(cell=cell, error=Failure("failed", cell.reason))
        if rerun == "all":
            self._drop(plan)
        with one_thread(), closing(self.executor), stdout_to(sys.stderr, 2):  # processes that are started print too
            self._make_episodes(plan.episodes, rerun, limits)
            self._make_references(plan, rerun, limits)
            self._evaluate(plan, rerun, limits)
        done = len(self.store.stored("cell", plan.cells))
        outcome = Outcome(done, len(plan.cells) - done + len(plan.failed), len(plan.skipped))
        self.observers.after_run(suite=plan.suite, results=outcome)
        return outcome

    def make_episodes(self, episodes: Mapping[str, EpisodeTask], limits: Limits) -> None:
        """Make the episodes that the store lacks, by key, those that failed too; nothing is evaluated."""
        self.store.make_ready()
        with one_thread(), closing(self.executor), stdout_to(sys.stderr, 2):
            self._make_episodes(episodes, "failed", limits)

    def _drop(self, plan: Plan) -> None:
        for key in plan.episodes:
            self.store.drop("episode", key)
        for key in plan.references:
            self.store.drop("reference", key)
        for key in plan.cells:
            self.store.drop("cell", key)

    def _due(self, kind: str, key: str, rerun: Rerun) -> bool:
        """Return whether work is to be done. Stored entries are read, so that damaged ones are made again now."""
        return self.store.get(kind, key) is None and (rerun != "never" or self.store.failure(kind, key) is None)

    def _make_episodes(self, episodes: Mapping[str, EpisodeTask], rerun: Rerun, limits: Limits) -> None:
        work = EpisodeWork.here(self.instances)
        self._make("episode", episodes, work, "training and unlearning", rerun, limits)

    def _make_references(self, plan: Plan, rerun: Rerun, limits: Limits) -> None:
        """Make reference models after the episodes, in which it stands which records are queried."""
        if plan.references:
            work = ReferenceWork.here(self.instances, self.store)
            self._make("reference", plan.references, work, "reference models", rerun, limits)

    def _make(
        self,
        kind: Kind,
        tasks: Mapping[str, ModelTask],
        work: Work[ModelTask, Episode | Failure],
        doing: str,
        rerun: Rerun,
        limits: Limits,
    ) -> None:
        due = [task for key, task in tasks.items() if self._due(kind, key, rerun)]
        with progress(doing, len(due), self.show_progress) as advance:
            for task, outcome in self.executor.run(work, side_by_side(due, work.shared), limits):
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
            "forget_sets": episode.forget_sets,
            "environment": self._environment,
        }
        self.store.put(kind, task.key, payload, to_arrays(episode))

    @cached_property
    def _environment(self) -> dict[str, str]:
        return fingerprint()

    def _evaluate(self, plan: Plan, rerun: Rerun, limits: Limits) -> None:
        due = [CellTask(group, key) for group in _read_first(plan.groups) for key in group.cells]
        due = [task for task in due if self._due("cell", task.key, rerun)]
        work = EvaluationWork.here(self.instances, self.store)
        with progress("attacking", len(due), self.show_progress) as advance:
            for task, outcome in self.executor.run(work, due, limits):
                self._store_cell(task.key, task.cell, outcome)
                advance(isinstance(outcome, Failure))

    def _store_cell(self, key: str, cell: Cell, result: CellResult | Failure) -> None:
        failure = result if isinstance(result, Failure) else _unstorable(partial(put_result, self.store, key, result))
        if failure is not None:
            self.store.fail("cell", key, failure)
            self.observers.on_cell_error(cell=cell, error=failure)
        elif isinstance(result, CellResult):
            self.observers.after_cell(cell=cell, results=result.estimates)


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
