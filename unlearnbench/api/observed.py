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
from unlearnbench.core.models import TargetModel
from unlearnbench.core.observations import Observations, ShadowView, View
from unlearnbench.core.pools import EpisodeSizes, Side
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.unlearners import Unlearner
from unlearnbench.engine.devices import Device, resolve_device
from unlearnbench.engine.reference import WithoutFastPath
from unlearnbench.hooks.records import Kind
from unlearnbench.hooks.registry import load_registry
from unlearnbench.run.environment import one_thread
from unlearnbench.run.episodes import Episode, EpisodeParts
from unlearnbench.run.episodes import observe as observe_episode
from unlearnbench.run.evaluation import utility
from unlearnbench.run.game import Game, attack_scores, measure
from unlearnbench.run.instances import PluginInstances, default_ref
from unlearnbench.run.sizes import check_episodes
from unlearnbench.stats import clustered_auc
from unlearnbench.suite.load import DEFAULTS

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Observed:
    """What the adversary saw of both sides, and whether its guesses are right.

    By hand: ``attack.fit(seen.shadow(attack), rng).score(seen.target(attack))`` gives scores (n,) for :meth:`auc`. As a
    run does it, target rows shuffled and request by request: :meth:`measure`.
    """

    game: Game
    utility: Utility
    instances: PluginInstances

    def shadow(self, attack: Attack) -> ShadowView:
        """Return the balanced rows that ``attack`` may learn from, with all that it declares to need."""
        rows = self.game.balanced
        view = _view(attack, rows, self.game.shadow_records)
        return ShadowView(**vars(view), deleted=self.game.deleted(rows), member=rows.member)

    def target(self, attack: Attack) -> View:
        """Return all target rows (n,) for ``attack`` to score, in the order in which :meth:`auc` takes them back."""
        return _view(attack, self.game.target, self.game.records)

    @cached_property
    def deleted(self) -> NDArray[np.bool_]:
        """Which target rows (n,) are of forgotten records: what an attack has to guess."""
        return self.game.deleted(self.game.target)

    def auc(self, scores: ArrayLike) -> Estimate:
        """Return the AUC of scores (n,), forgotten against unseen records, clustered by original model."""
        rows = self.game.target
        chosen = np.isin(rows.role, (self.game.positive, self.game.negative))
        values = np.asarray(scores, dtype=np.float64)
        if values.shape != chosen.shape:
            raise UserError(f"auc: expected one score for each of {len(chosen)} target rows, got shape {values.shape}")
        return clustered_auc(values[chosen], self.deleted[chosen], rows.episode[chosen], record=rows.record[chosen])

    def measure(self, attack: Attack, metrics: Sequence[str] = ()) -> dict[str, Estimate]:
        """Return the attack's estimates by name, as a row of a run has them; by default of the metrics of a suite."""
        named = metrics or [str(name) for name in DEFAULTS["metrics"]]  # type: ignore[attr-defined]  # a list of names
        made = {name: _make("metric", name, Metric, self.instances) for name in named}
        told = attack.baseline
        baseline = self.instances.make(default_ref(self.instances.registry, "attack", told.name, told.params), Attack)
        with one_thread():
            scores = attack_scores(self.game, attack, type(attack).__name__)
            return measure(self.game, scores, attack_scores(self.game, baseline, told.name), self.utility, made)


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
    for the target and the shadow side. UserError where they do not fit, or where unlearner and model do not go
    together.
    """
    instances, sizes = PluginInstances(load_registry()), sizes or EpisodeSizes()
    records = dataset if isinstance(dataset, Records) else _make("dataset", dataset, Dataset, instances).load()
    kind = _make("model", model, TargetModel, instances)
    method = _make("unlearner", unlearner, Unlearner, instances)
    asked = _make("scenario", scenario, Scenario, instances)
    if refusal := method.refusal(kind):
        raise UserError(f"observe: {refusal}")
    check_episodes(records, sizes, asked, seed)
    where = resolve_device(device) if kind.uses_device else "cpu"
    trained = kind if kind.has_fast_path(where) else WithoutFastPath(kind)

    def episodes(side: Side) -> list[Episode]:
        parts = [
            EpisodeParts(records, trained, method, asked, Defense(), sizes, side, original, seed, where)
            for original in range(sizes.originals)
        ]
        return [observe_episode(part) for part in parts]

    with one_thread():
        target, shadow = (episodes(side) for side in get_args(Side))
    return Observed(_game(records, asked, target, shadow, seed), utility(target), instances)


def _make(kind: Kind, given: object, contract: type[T], instances: PluginInstances) -> T:
    """Return one's own object as it is, or the plug-in of that name."""
    if isinstance(given, str):
        return instances.make(default_ref(instances.registry, kind, given), contract)
    if not isinstance(given, contract):
        raise UserError(
            f"{kind}: {type(given).__name__} must be a name or derive from unlearnbench.{contract.__name__}"
        )
    return given


def _game(
    records: Records, scenario: Scenario, target: Sequence[Episode], shadow: Sequence[Episode], seed: int
) -> Game:
    return Game(
        records=records,
        shadow_records=records,
        target=Observations.concatenate([episode.observations for episode in target]),
        shadow=Observations.concatenate([episode.observations for episode in shadow]),
        positive=scenario.positive,
        negative=scenario.negative,
        seeds=SeedPath(seed) / records.name / "judge",
    )


def _view(attack: Attack, rows: Observations, records: Records) -> View:
    return View(
        attack.needs,
        records.n_classes,
        rows.episode,
        rows.request,
        rows.before,
        rows.after,
        rows.versions,
        rows.label,
        records.x[rows.record] if attack.needs.features else np.empty((len(rows), 0)),
    )
