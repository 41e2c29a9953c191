"""Training, unlearning and querying one's own objects, without a suite: something to try an attack on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unlearnbench.core.attacks import Attack
from unlearnbench.core.datasets import Dataset
from unlearnbench.core.defenses import Defense
from unlearnbench.core.errors import UserError
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, Utility
from unlearnbench.core.models import Engine, TargetModel
from unlearnbench.core.observations import Needs, Observations, ShadowView, View
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.engine.workers import one_thread
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.episodes import Episode, EpisodeParts
from unlearnbench.run.episodes import observe as observe_episode
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.instances import PluginInstances, baseline_of, default_ref
from unlearnbench.run.measuring import measure, scored_cell, utility
from unlearnbench.run.sizes import check_episodes
from unlearnbench.stats import clustered_auc
from unlearnbench.suite.keys import DEFAULTS

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Observed:
    """What the adversary saw of both sides, and whether its guesses are right.

    By hand: ``attack.fit(seen.shadow(attack), rng).score(seen.target(attack))`` gives scores (n,) for :meth:`auc`.
    Rows are shuffled and views hold only what the attack declares, by the code that a run uses. A run also shows one
    request at a time; :meth:`measure` does so too.
    """

    game: Game
    utility: Utility
    instances: PluginInstances

    def shadow(self, attack: Attack) -> ShadowView:
        """Return the rows that ``attack`` may learn from, with all that it declares to need."""
        rows = self.game.learned(attack.needs)
        return self.game.shadow_view(attack.needs, rows, self._seeds / "shadow")

    def target(self, attack: Attack) -> View:
        """Return all target rows (n,) for ``attack`` to score, shuffled as :attr:`rows` are."""
        return self._target(attack.needs)[0]

    @cached_property
    def rows(self) -> Observations:
        """All that is known of the target rows (n,), in the order of :meth:`target`, the same for every attack."""
        _, order = self._target(Needs(versions="none"))
        return self.game.target.take(order)

    @cached_property
    def deleted(self) -> NDArray[np.bool_]:
        """Which target rows (n,), in the order of :meth:`target`, are of forgotten records: what attacks guess."""
        return self.game.deleted(self.rows)

    @property
    def _seeds(self) -> SeedPath:
        return self.game.seeds / "by-hand"

    def _target(self, needs: Needs) -> tuple[View, NDArray[np.int64]]:
        return self.game.view("target", needs, np.arange(len(self.game.target)), self._seeds / "target")

    def auc(self, scores: ArrayLike) -> Estimate:
        """Return the AUC of scores (n,), forgotten against unseen records, clustered by original model.

        Scores are in the order of :meth:`target`.
        """
        rows = self.rows
        chosen = np.isin(rows.role, (self.game.positive, self.game.negative))
        values = np.asarray(scores, dtype=np.float64)
        if values.shape != chosen.shape:
            raise UserError(f"auc: expected one score for each of {len(chosen)} target rows, got shape {values.shape}")
        return clustered_auc(values[chosen], self.deleted[chosen], rows.episode[chosen], record=rows.record[chosen])

    def measure(self, attack: Attack, metrics: Sequence[str] = ()) -> dict[str, Estimate]:
        """Return the attack's estimates by name, as a row of a run has them; by default of the metrics of a suite."""
        named = metrics or [str(name) for name in DEFAULTS["metrics"]]  # type: ignore[attr-defined]  # a list of names
        made = {name: _make("metric", name, Metric, self.instances) for name in named}
        if unmet := [name for name, metric in made.items() if metric.reads_retrained or metric.reads_references]:
            raise UserError(f"measure: {', '.join(unmet)} reads other models than these, which takes a run of a suite")
        ref = baseline_of(attack, self.instances.registry)
        baseline = self.instances.make(ref, Attack)
        with one_thread():
            own = attack_scores(self.game, attack, type(attack).__name__)
            scores = CellScores.of(self.game, own, attack_scores(self.game, baseline, ref.name))
            return measure(scored_cell(self.game, scores, attack, baseline, self.utility), made)


def observe(
    dataset: str | Dataset | Records,
    model: str | TargetModel,
    unlearner: str | Unlearner = "retrain",
    scenario: str | Scenario = "single",
    *,
    sizes: EpisodeSizes | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Observed:
    """Train originals of both sides, serve their deletion requests and query all models; nothing is stored.

    Each argument is an object of one's own or the name of a plug-in, which gets its default parameters. ``sizes`` hold
    for the target and the shadow side. UserError where they do not fit, or where unlearner, model, scenario and data
    set do not go together.
    """
    instances, sizes = PluginInstances(load_registry()), sizes or EpisodeSizes()
    records = dataset if isinstance(dataset, Records) else _make("dataset", dataset, Dataset, instances).load()
    kind = _make("model", model, TargetModel, instances)
    method = _make("unlearner", unlearner, Unlearner, instances)
    requested = _make("scenario", scenario, Scenario, instances)
    if refusal := method.refusal(kind) or method.refusal_of_records(records):
        raise UserError(f"observe: {refusal}")
    if refusal := kind.refusal(records.x.shape[1:]) or requested.refusal_of_records(records):
        raise UserError(f"observe: {refusal}")
    check_episodes(records, sizes, requested, seed)
    where = resolve_device(device) if kind.uses_device else "cpu"
    engine: Engine = "fast" if kind.has_fast_path(where) else "reference"

    def episodes(side: Side) -> list[Episode]:
        parts = [
            EpisodeParts(records, kind, method, requested, Defense(), sizes, side, original, seed, where, engine)
            for original in range(sizes.originals)
        ]
        return [observe_episode(part) for part in parts]

    with one_thread():
        target, shadow = (episodes(side) for side in get_args(Side))
    game = Game.of(
        records,
        [episode.observations for episode in target],
        [episode.observations for episode in shadow],
        positive=requested.positive,
        negative=requested.negative,
        seeds=game_seeds(seed, records),
    )
    return Observed(game, utility(target), instances)


def _make(kind: Kind, given: object, contract: type[T], instances: PluginInstances) -> T:
    """Return one's own object as it is, or the plug-in of that name."""
    if isinstance(given, str):
        return instances.make(default_ref(instances.registry, kind, given), contract)
    if not isinstance(given, contract):
        raise UserError(
            f"{kind}: {type(given).__name__} must be a name or derive from unlearnbench.{contract.__name__}"
        )
    return given
