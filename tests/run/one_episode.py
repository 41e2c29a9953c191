"""One small episode, which tests of episodes change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unlearnbench.builtin.datasets.breast_cancer import BreastCancer
from unlearnbench.builtin.scenarios.single import Single
from unlearnbench.builtin.unlearners.controls.noise_floor import NoiseFloor
from unlearnbench.builtin.unlearners.controls.none import NoUnlearning
from unlearnbench.builtin.unlearners.controls.random_noise import RandomNoise
from unlearnbench.builtin.unlearners.exact.retrain import Retrain
from unlearnbench.builtin.unlearners.exact.sisa import SISA
from unlearnbench.core.defenses import Defense
from unlearnbench.core.models import FitTask, Seeds
from unlearnbench.core.observations import Observations
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools, side_pools
from unlearnbench.core.records import Step, TrainingSet
from unlearnbench.core.scenarios import Request, Role, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.sklearn_model import SklearnModel
from unlearnbench.run.episode_arrays import to_arrays
from unlearnbench.run.episodes import Episode, EpisodeParts

RECORDS = BreastCancer().load()
SIZES = EpisodeSizes(originals=2, requests=3, records=120, negatives=10, matched=3, retained=5)
UNLEARNERS = [Retrain(), Retrain("fresh", "fresh"), SISA(3), NoiseFloor(), NoUnlearning(), RandomNoise()]
ONE_MODEL = [unlearner for unlearner in UNLEARNERS if not isinstance(unlearner, SISA)]


@dataclass(frozen=True)
class Tree(SklearnModel):
    """A small tree, the same however many are grown together."""

    leaves: int = 4

    def estimator(self, seed: int) -> object:
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_leaf_nodes=self.leaves, random_state=seed)


PARTS = EpisodeParts(RECORDS, Tree(), Retrain(), Single(), Defense(), SIZES, "target", original=1, seed=4, device="cpu")
HERE = SeedPath(4) / RECORDS.name / "target" / 1


@dataclass(frozen=True)
class Moves(Scenario):
    """Requests of one, two and three steps; records leave, join, leave again and come back."""

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        return 4

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        a, b, c, d = (pools.deletable[k : k + 1] for k in range(4))
        new = pools.unseen[:1]
        return [
            Request((Step(a),)),
            Request((Step(b, new), Step(np.concatenate([new, c])))),
            Request((Step(d), Step(a[:0], d), Step(b))),
        ]


def pools_of(parts: EpisodeParts = PARTS) -> tuple[Pools, np.ndarray]:
    return side_pools(parts.records, parts.side, parts.sizes, parts.original, SeedPath(parts.seed) / parts.records.name)


def same(a: Episode, b: Episode) -> bool:
    ours, theirs = to_arrays(a), to_arrays(b)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[name], theirs[name]) for name in ours)


def asked(rows: Observations, *roles: Role) -> np.ndarray:
    """Return (request, record) of the rows with these roles."""
    chosen = rows.take(np.isin(rows.role, roles))
    return np.stack([chosen.request, chosen.record], axis=1)


def tree(data: TrainingSet, seeds: Seeds) -> np.ndarray:
    """Return what a tree trained by hand says of all records."""
    return Tree().fit(FitTask(data, seeds), "cpu").log_posteriors(RECORDS.x)
