"""Runs a plan: makes the episodes that the store lacks, then evaluates the cells. Can be interrupted and resumed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

from unlearnbench.core.executors import Executor, Failure
from unlearnbench.core.plugin_calls import stdout_to
from unlearnbench.engine.workers import one_thread
from unlearnbench.run.cell_results import CellResult, put_result
from unlearnbench.run.cells import Cell, EpisodeTask, Plan
from unlearnbench.run.environment import fingerprint
from unlearnbench.run.episodes import Episode, to_arrays
from unlearnbench.run.evaluation import EvaluationWork
from unlearnbench.run.failures import failure_of
from unlearnbench.run.instances import PluginInstances
from unlearnbench.run.originals import OriginalTask, OriginalWork, by_original
from unlearnbench.run.progress import Advance, progress
from unlearnbench.run.store import Store

Rerun = Literal["never", "failed", "all"]


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
    """Runs plans into one store. Episodes and groups of cells go through the executor; only this process writes."""

    def __init__(
        self, instances: PluginInstances, store: Store, executor: Executor, show_progress: bool = True
    ) -> None:
        self.instances = instances
        self.observers = instances.registry.observers
        self.store = store
        self.executor = executor
        self.show_progress = show_progress

    def run(self, plan: Plan, rerun: Rerun = "failed") -> Outcome:
        """Make all results that the store lacks, and return the counts.

        Earlier failures are tried again unless ``rerun`` is ``never``; with ``all``, stored results are dropped first.
        UserError where the store cannot be read or written: nothing of it is lost, and the next run goes on.
        """
        self.store.make_ready()
        self.observers.before_run(suite=plan.suite, plan=plan)
        for cell in plan.failed:
            self.observers.on_cell_error(cell=cell, error=Failure("failed", cell.reason))
        if rerun == "all":
            self._drop(plan)
        with one_thread(), stdout_to(sys.stderr, 2):  # executors and the processes that they start print too
            self._make_episodes(plan, rerun)
            self._evaluate(plan, rerun)
        done = len(self.store.stored("cell", plan.cells))
        outcome = Outcome(done, len(plan.cells) - done + len(plan.failed), len(plan.skipped))
        self.observers.after_run(suite=plan.suite, results=outcome)
        return outcome

    def _drop(self, plan: Plan) -> None:
        for key in plan.episodes:
            self.store.drop("episode", key)
        for key in plan.cells:
            self.store.drop("cell", key)

    def _due(self, kind: str, key: str, rerun: Rerun) -> bool:
        """Return whether work is to be done. Stored entries are read, so that damaged ones are made again now."""
        return self.store.get(kind, key) is None and (rerun != "never" or self.store.failure(kind, key) is None)

    def _make_episodes(self, plan: Plan, rerun: Rerun) -> None:
        due = [task for key, task in plan.episodes.items() if self._due("episode", key, rerun)]
        with progress("training and unlearning", len(due), self.show_progress) as advance:
            crashed = self._run_episodes(by_original(due), advance)
            # One episode of such a task ended its worker. Each is done alone now, so that only that one is lost.
            self._run_episodes([OriginalTask((episode,)) for task in crashed for episode in task.episodes], advance)

    def _run_episodes(self, tasks: Sequence[OriginalTask], advance: Advance) -> list[OriginalTask]:
        """Store the outcome of each episode; return the tasks of several episodes whose worker died."""
        crashed: list[OriginalTask] = []
        work = OriginalWork.here(self.instances)
        for task, outcome in self.executor.run(work, tasks):
            if isinstance(outcome, Failure) and len(task.episodes) > 1:
                crashed.append(task)
                continue
            for episode in task.episodes:
                made = outcome if isinstance(outcome, Failure) else outcome[episode.key]
                self._store_episode(episode, made)
                advance(isinstance(made, Failure))
        return crashed

    def _store_episode(self, task: EpisodeTask, episode: Episode | Failure) -> None:
        if isinstance(episode, Failure):
            self.store.fail("episode", task.key, episode)
        elif failure := _unstorable(partial(self._put_episode, task, episode)):
            self.store.fail("episode", task.key, failure)

    def _put_episode(self, task: EpisodeTask, episode: Episode) -> None:
        payload = {
            "engine": task.engine,
            "device": task.device,
            "seconds": dict(episode.seconds),
            "environment": self._environment,
        }
        self.store.put("episode", task.key, payload, to_arrays(episode))

    @cached_property
    def _environment(self) -> dict[str, str]:
        return fingerprint()

    def _evaluate(self, plan: Plan, rerun: Rerun) -> None:
        due = {key for key in plan.cells if self._due("cell", key, rerun)}
        left = [replace(group, cells={k: cell for k, cell in group.cells.items() if k in due}) for group in plan.groups]
        left.sort(key=lambda group: group.retrained is not None)  # what others read comes first
        work = EvaluationWork.here(self.instances, self.store)
        with progress("attacking", len(due), self.show_progress) as advance:
            for group, outcome in self.executor.run(work, [group for group in left if group.cells]):
                for key, cell in group.cells.items():
                    result = outcome if isinstance(outcome, Failure) else outcome[key]
                    self._store_cell(key, cell, result)
                    advance(isinstance(result, Failure))

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
