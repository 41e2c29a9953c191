"""Evaluating cells, as work that any process can do: it reads episodes from the store and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense
from unlearnbench.core.executors import Failure
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.observations import Observations
from unlearnbench.core.scenarios import Scenario
from unlearnbench.hooks.records import AttackPlugin
from unlearnbench.hooks.registry import Registry
from unlearnbench.run.attacking import Scores, attack_scores, oracle_scores
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.cell_results import CellResult, CellScores, get_result
from unlearnbench.run.cells import Cell, CellGroup, CellTask, EpisodeTask
from unlearnbench.run.entries import Entry
from unlearnbench.run.episode_arrays import from_arrays
from unlearnbench.run.episodes import Episode
from unlearnbench.run.failures import FailedElsewhereError, MissingError, guarded
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.measuring import measure, scored_cell, utility
from unlearnbench.run.outcomes import Outcomes
from unlearnbench.run.plugin_lock import PluginLock
from unlearnbench.run.releasing import release, with_references
from unlearnbench.run.store import Kind, Store
from unlearnbench.run.work import LockedWork
from unlearnbench.suite.model import PluginRef


class EvaluationWork(LockedWork):
    """Evaluates cells in one process: those of a group share episodes, releases and baselines."""

    def __init__(self, lock: PluginLock, store: Store) -> None:
        super().__init__(lock)
        self.store = store
        self._evaluator: tuple[str, Evaluator | Failure] | None = None

    @classmethod
    def here(cls, instances: PluginInstances, store: Store) -> EvaluationWork:
        """Return work that uses this process's instances and store as long as it stays in this process."""
        work = cls(instances.lock, store)
        work.instances = instances
        return work

    def __call__(self, task: CellTask) -> CellResult | Failure:
        """Evaluate a cell; UserError where the plug-ins are not those of the lock."""
        name = task.group.name
        if self._evaluator is None or self._evaluator[0] != name:
            load = partial(Evaluator.load, task.group, self.store, self.instances)
            self._evaluator = name, guarded(load)
        evaluator = self._evaluator[1]
        return evaluator if isinstance(evaluator, Failure) else guarded(partial(evaluator, task.cell))

    def shared(self, task: CellTask, /) -> Hashable:
        """Return the name of the group of a cell."""
        return task.group.name

    def kernels(self, _: CellTask, /) -> str:
        """Return "": nothing is compiled."""
        return ""

    def device(self, _: CellTask, /) -> str:
        """Return "cpu": attacks and metrics use no other device."""
        return "cpu"

    def portable(self, tasks: Sequence[CellTask], /) -> EvaluationWork:
        """Return work that holds what these tasks read from the store."""
        groups = {task.group.name: task.group for task in tasks}.values()
        return EvaluationWork(self.lock, self.store.held(entry for group in groups for entry in _entries_read(group)))

    def __reduce__(self) -> tuple[type[EvaluationWork], tuple[PluginLock, Store]]:
        return EvaluationWork, (self.lock, self.store)


def _entries_read(group: CellGroup) -> list[tuple[Kind, str]]:
    """Return kind and key of all that evaluating the cells of a group reads from the store."""
    cells = group.retrained.cells if group.retrained else ()
    return [
        *(("episode", task.key) for task in group.episodes),
        *(("reference", task.key) for task in group.all_references),
        *(("cell", key) for key in cells),
    ]


class Evaluator:
    """Scores and measures cells of one group. What they share is computed once."""

    def __init__(
        self,
        group: CellGroup,
        target: Sequence[Episode],
        shadow: Sequence[Episode],
        instances: PluginInstances,
        retrained: Evaluator | None = None,
        stored: Mapping[tuple[str, str], CellScores] | None = None,
        references: Callable[[int], Episode] | None = None,
    ) -> None:
        """Set up the game of a group from its episodes.

        ``retrained`` evaluates the cells that retrain; without it the group's own do. ``stored`` holds scores that are
        there already, by the labels of defense and attack. ``references`` reads a reference model of the group by its
        number, once an attack needs it.
        """
        first = group.target[0]
        records = instances.records(first.dataset)
        scenario = instances.make(first.scenario, Scenario)
        self._instances = instances
        self._game = Game.of(
            records,
            [episode.observations for episode in target],
            [episode.observations for episode in shadow],
            positive=scenario.positive,
            negative=scenario.negative,
            seeds=game_seeds(first.seed, records),
            shadow_records=instances.records(group.shadow[0].dataset),
            population=[episode.population for episode in target if episode.population],
            copies={"target": _copies(target), "shadow": _copies(shadow)},
            boundary={"target": _boundary(target), "shadow": _boundary(shadow)},
        )
        self._read_reference = references
        self._models: dict[int, Observations] = {}
        self._utility = utility(target)
        self._metrics: Mapping[str, Metric] = {ref.label: instances.make(ref, Metric) for ref in group.metrics}
        self._references_read = group.references_of_metrics
        self._released: dict[tuple[str, int], Game] = {}
        self._scores: dict[tuple[str, str], Scores] = {}
        self._retrained = retrained
        self._stored = stored or {}

    @classmethod
    def load(cls, group: CellGroup, store: Store, instances: PluginInstances) -> Evaluator:
        """Read the episodes from the store; raises :class:`FailedElsewhereError` where one is not there."""
        retrained = cls._load_retrained(group.retrained, store, instances) if group.retrained else None
        return cls(
            group, *_read_episodes(group, store), instances, retrained, references=_reference_reader(group, store)
        )

    @classmethod
    def _load_retrained(cls, group: CellGroup, store: Store, instances: PluginInstances) -> Evaluator:
        results = {(cell.defense.label, cell.attack.label): get_result(store, key) for key, cell in group.cells.items()}
        stored = {name: result.scores for name, result in results.items() if result}
        return cls(
            group, *_read_episodes(group, store), instances, stored=stored, references=_reference_reader(group, store)
        )

    def __call__(self, cell: Cell) -> CellResult:
        """Return the scores and estimates of one cell."""
        scores = self._cell_scores(cell)
        return CellResult(scores, measure(self._scored(cell, scores), self._metrics), Outcomes.of(self._utility))

    def _cell_scores(self, cell: Cell) -> CellScores:
        stored = self._stored.get((cell.defense.label, cell.attack.label))
        if stored is not None:
            return stored
        scores = self._attack(cell.defense, cell.attack)
        baseline = self._attack(cell.defense, baseline_ref(cell.attack, self._instances))
        return CellScores.of(self._release(cell.defense), scores, baseline, self._retrained_release(cell.defense))

    def _scored(self, cell: Cell, scores: CellScores) -> ScoredCell:
        make = self._instances.make
        attack, baseline = make(cell.attack, Attack), make(baseline_ref(cell.attack, self._instances), Attack)
        scored = scored_cell(self._game, scores, attack, baseline, self._utility)
        if models := self._references_read:
            scored = replace(scored, references=self._release(cell.defense, models).reference_answers(models))
        if not self._reads_retrained:
            return scored
        other = self._retrained
        return replace(scored, retrained=other._scored(cell, other._cell_scores(cell)) if other else scored)

    @property
    def _reads_retrained(self) -> bool:
        return any(metric.reads_retrained for metric in self._metrics.values())

    def _retrained_release(self, defense: PluginRef) -> Game | None:
        """Return the game that is played with retrained models, where a metric reads it."""
        return (self._retrained or self)._release(defense) if self._reads_retrained else None

    def _release(self, defense: PluginRef, references: int = 0) -> Game:
        """Return the game as a defense releases it, with the first reference models."""
        key = (defense.label, references)
        if key not in self._released:
            made = self._instances.make(defense, Defense)
            models = [self._reference(number) for number in range(references)]
            self._released[key] = (
                with_references(self._release(defense), models, made) if models else release(self._game, made)
            )
        return self._released[key]

    def _reference(self, number: int) -> Observations:
        if number not in self._models:
            if self._read_reference is None:
                raise MissingError("this group of cells has no reference models")
            self._models[number] = self._read_reference(number).observations
        return self._models[number]

    def _attack(self, defense: PluginRef, attack: PluginRef) -> Scores:
        key = (defense.label, canonical_json([attack.name, dict(attack.params)]))
        if key not in self._scores:
            needed = self._instances.make(attack, Attack).needs.references
            self._scores[key] = scores_of(self._release(defense, needed), attack, self._instances)
        return self._scores[key]


def _copies(episodes: Sequence[Episode]) -> list[Observations]:
    return [episode.copies for episode in episodes if episode.copies]


def _boundary(episodes: Sequence[Episode]) -> list[BoundaryRows]:
    return [episode.boundary for episode in episodes if episode.boundary]


def scores_of(released: Game, attack: PluginRef, instances: PluginInstances) -> Scores:
    """Return the scores of an attack of a suite."""
    if knows_truth(attack, instances.registry):
        return oracle_scores(released)
    first, second = instances.attack_twice(attack)
    return attack_scores(released, first, attack.name, second)


def knows_truth(attack: PluginRef, registry: Registry) -> bool:
    """Say whether an attack's scores are the roles themselves, which no attack is shown: it is not run."""
    plugin = registry.get("attack", attack.name).plugin
    return isinstance(plugin, AttackPlugin) and plugin.knows_truth


def _read_episodes(group: CellGroup, store: Store) -> tuple[list[Episode], list[Episode]]:
    return [read_episode(task, store) for task in group.target], [read_episode(task, store) for task in group.shadow]


def read_episode(task: EpisodeTask, store: Store) -> Episode:
    """Read an episode from the store; raises :class:`FailedElsewhereError` where it is not there."""
    return _read(store, "episode", task.key, f"{task.side} original {task.original}")


def _reference_reader(group: CellGroup, store: Store) -> Callable[[int], Episode]:
    """Return what reads a reference model by its number, as :func:`read_episode` reads an episode."""
    return lambda number: _read(store, "reference", group.references[number].key, f"reference model {number}")


def read_entry(store: Store, kind: Kind, key: str, what: str) -> Entry:
    """Read what other work has stored; raises :class:`FailedElsewhereError`, which says ``what``, if it is gone."""
    if entry := store.get(kind, key):
        return entry
    failure = store.failure(kind, key) or Failure("failed", "its stored entry is gone or damaged; run again")
    raise FailedElsewhereError(Failure(failure.status, f"{what}: {failure.reason}"))


def _read(store: Store, kind: Kind, key: str, what: str) -> Episode:
    entry = read_entry(store, kind, key, what)
    payload: Any = entry.payload
    return from_arrays(entry.arrays, payload["seconds"], payload["forget_sets"], payload.get("memory"))
