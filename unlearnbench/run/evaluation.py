"""Judging the cells of one bench: they share episodes, releases and baselines, each computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.hashing import canonical_json
from unlearnbench.core.metrics import Metric, Utility
from unlearnbench.core.scenarios import Scenario
from unlearnbench.run.cells import Cell, CellGroup, EpisodeTask
from unlearnbench.run.episodes import Episode, from_arrays
from unlearnbench.run.failures import MissingError
from unlearnbench.run.game import Game, Scores, attack_scores, game_seeds, measure, oracle_scores, release
from unlearnbench.run.instances import PluginInstances, baseline_ref
from unlearnbench.run.store import Store
from unlearnbench.suite.model import PluginRef

ORACLE = "oracle-label"


class Evaluator:
    """Scores and measures cells of one bench."""

    def __init__(
        self, bench: CellGroup, target: Sequence[Episode], shadow: Sequence[Episode], instances: PluginInstances
    ) -> None:
        first = bench.target[0]
        records = instances.records(first.dataset)
        scenario = instances.make(first.scenario, Scenario)
        self._workshop = instances
        self._plain = Game.of(
            records,
            [episode.observations for episode in target],
            [episode.observations for episode in shadow],
            positive=scenario.positive,
            negative=scenario.negative,
            seeds=game_seeds(first.seed, records),
            shadow_records=instances.records(bench.shadow[0].dataset),
        )
        self._utility = utility(target)
        self._metrics: Mapping[str, Metric] = {ref.label: instances.make(ref, Metric) for ref in bench.metrics}
        self._games: dict[str, Game] = {}
        self._scores: dict[tuple[str, str], Scores] = {}

    @classmethod
    def load(cls, bench: CellGroup, store: Store, instances: PluginInstances) -> Evaluator:
        """Read the episodes from the store; raises :class:`MissingError` where one is not there."""
        target, shadow = ([_episode(task, store) for task in tasks] for tasks in (bench.target, bench.shadow))
        return cls(bench, target, shadow, instances)

    def __call__(self, cell: Cell) -> tuple[Scores, dict[str, Estimate]]:
        """Return the scores and estimates of one cell."""
        scores = self._attack(cell.defense, cell.attack)
        baseline = self._attack(cell.defense, baseline_ref(cell.attack, self._workshop))
        return scores, measure(self._game(cell.defense), scores, baseline, self._utility, self._metrics)

    def _game(self, defense: PluginRef) -> Game:
        if defense.label not in self._games:
            self._games[defense.label] = release(self._plain, self._workshop.make(defense, Defense))
        return self._games[defense.label]

    def _attack(self, defense: PluginRef, attack: PluginRef) -> Scores:
        key = (defense.label, canonical_json([attack.name, dict(attack.params)]))
        if key not in self._scores:
            game = self._game(defense)
            self._scores[key] = (
                oracle_scores(game)
                if attack.name == ORACLE
                else attack_scores(game, self._workshop.make(attack, Attack), attack.name)
            )
        return self._scores[key]


def _episode(task: EpisodeTask, store: Store) -> Episode:
    entry = store.get("episode", task.key)
    if entry is None:
        failure = store.failure("episode", task.key)
        reason = failure.reason if failure else "its stored entry was damaged; run again"
        raise MissingError(f"{task.side} original {task.original}: {reason}")
    seconds: Any = entry.payload["seconds"]
    return from_arrays(entry.arrays, seconds)


def utility(episodes: Sequence[Episode]) -> Utility:
    """Collect accuracies and seconds, one entry per (original, request)."""
    counts = [len(episode.accuracy["test_unlearned"]) for episode in episodes]

    def each(values: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.repeat(np.asarray(values, dtype=np.float64), counts)

    return Utility(
        episode=np.repeat([episode.observations.episode[0] for episode in episodes], counts),
        train_accuracy_original=each([float(episode.accuracy["train_original"][0]) for episode in episodes]),
        test_accuracy_original=each([float(episode.accuracy["test_original"][0]) for episode in episodes]),
        train_accuracy_unlearned=np.concatenate([episode.accuracy["train_unlearned"] for episode in episodes]),
        test_accuracy_unlearned=np.concatenate([episode.accuracy["test_unlearned"] for episode in episodes]),
        seconds_to_train=each([episode.seconds["train"] for episode in episodes]),
        seconds_to_unlearn=each([episode.seconds["unlearn"] for episode in episodes]),
        epsilon=each([episode.epsilon for episode in episodes]),
    )
