"""Runs a plan: makes the episodes that the store lacks, then judges the cells. Any moment is a good one to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal

from unlearnbench.core.canonical import canonical_json
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.executors import Executor
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.bench import BenchJudge
from unlearnbench.run.environment import fingerprint, one_thread
from unlearnbench.run.judge import Scores
from unlearnbench.run.observe import to_arrays
from unlearnbench.run.plan import Cell, Plan
from unlearnbench.run.progress import progress
from unlearnbench.run.store import Failure, Store
from unlearnbench.run.work import EpisodeWork, guarded
from unlearnbench.run.workshop import Workshop

Rerun = Literal["never", "failed", "all"]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: how many cells are done, failed and skipped."""

    done: int
    failed: int
    skipped: int


class Runner:
    """Runs plans into one store. Episodes go through the executor; this process alone writes."""

    def __init__(self, registry: Registry, store: Store, executor: Executor, show_progress: bool = True) -> None:
        self.registry = registry
        self.store = store
        self.executor = executor
        self.show_progress = show_progress
        self.workshop = Workshop(registry)

    def run(self, plan: Plan, rerun: Rerun = "failed") -> Outcome:
        """Make everything that is missing. Earlier failures are tried again unless ``rerun`` is ``never``."""
        self.registry.observers.before_run(suite=plan.suite, plan=plan)
        if rerun == "all":
            self._forget(plan)
        with one_thread():
            self._observe(plan, rerun)
            self._judge(plan, rerun)
        done = sum(self.store.has("cell", key) for key in plan.cells)
        outcome = Outcome(done, len(plan.cells) - done, len(plan.skipped))
        self.registry.observers.after_run(suite=plan.suite, results=outcome)
        return outcome

    def _forget(self, plan: Plan) -> None:
        for key in plan.episodes:
            self.store.drop("episode", key)
        for key in plan.cells:
            self.store.drop("cell", key)

    def _due(self, kind: str, key: str, rerun: Rerun) -> bool:
        """Say whether work is to be done. What is stored is read, so that what is damaged is made again right away."""
        return self.store.get(kind, key) is None and (rerun != "never" or self.store.failure(kind, key) is None)

    def _observe(self, plan: Plan, rerun: Rerun) -> None:
        tasks = [task for key, task in plan.episodes.items() if self._due("episode", key, rerun)]
        environment = fingerprint()
        work = EpisodeWork.here(self.workshop)
        with progress("training and unlearning", len(tasks), self.show_progress) as advance:
            for task, outcome in self.executor.run(work, tasks):
                if isinstance(outcome, Failure):
                    self.store.fail("episode", task.key, outcome)
                else:
                    payload = {
                        "engine": task.engine,
                        "device": task.device,
                        "seconds": dict(outcome.seconds),
                        "environment": environment,
                    }
                    self.store.put("episode", task.key, payload, to_arrays(outcome))
                advance()

    def _judge(self, plan: Plan, rerun: Rerun) -> None:
        due = {key for key in plan.cells if self._due("cell", key, rerun)}
        with progress("attacking", len(due), self.show_progress) as advance:
            for bench in plan.benches:
                cells = {key: cell for key, cell in bench.cells.items() if key in due}
                judge = guarded(partial(BenchJudge.load, bench, self.store, self.workshop)) if cells else None
                for key, cell in cells.items():
                    self._judge_cell(key, cell, judge)
                    advance()

    def _judge_cell(self, key: str, cell: Cell, judge: BenchJudge | Failure | None) -> None:
        judged = guarded(partial(_judged, judge, cell)) if isinstance(judge, BenchJudge) else judge
        if isinstance(judged, Failure):
            self.store.fail("cell", key, judged)
            self.registry.observers.on_cell_error(cell=cell, error=judged)
        elif judged is not None:
            scores, estimates = judged
            self.store.put("cell", key, {"metrics": _plain(estimates)}, {"scores": scores.target})
            self.registry.observers.after_cell(cell=cell, results=estimates)


def _judged(judge: BenchJudge, cell: Cell) -> tuple[Scores, dict[str, Estimate]]:
    scores, estimates = judge(cell)
    canonical_json(_plain(estimates))  # what cannot be stored is this cell's failure, not the run's
    return scores, estimates


def _plain(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    return {name: asdict(estimate) for name, estimate in estimates.items()}
