"""Every array that a plug-in can reach from its arguments is read-only, or a copy that nobody else sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from unlearnbench.core.attacks import Attack
from unlearnbench.core.defenses import Defense, PublicationDefense, ReleaseKeys
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.models import FitTask, Fitted, TargetModel
from unlearnbench.core.observations import Needs, ShadowView, View
from unlearnbench.core.originals import Original
from unlearnbench.core.pools import EpisodeSizes, Pools
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Step
from unlearnbench.core.scenarios import Queries, Request, Scenario
from unlearnbench.core.seeding import SeedPath
from unlearnbench.engine.unlearners import Deletion, FunctionUnlearner
from unlearnbench.run.attacking import attack_scores
from unlearnbench.run.cell_results import CellScores
from unlearnbench.run.episodes import Episode, EpisodeParts, observe
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.run.measuring import measure, scored_cell, utility
from unlearnbench.run.releasing import release
from unlearnbench.testing.samples import blobs

pytestmark = pytest.mark.filterwarnings(
    "ignore:(Degrees of freedom|Mean of empty|invalid value)"
)  # no validation records

RECORDS = blobs(300)
SIZES = EpisodeSizes(originals=2, requests=2, records=60, negatives=5, matched=2, retained=2)

Seen = dict[str, list[np.ndarray]]
"""The arrays that a plug-in was handed, by the path to them, at each call."""


def reachable(value: object, path: str, depth: int = 6) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays in a value with the path to each: in its fields, properties, caches and items."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif depth and isinstance(value, tuple | list):
        for item in value:
            yield from reachable(item, f"{path}[]", depth - 1)
    elif depth and is_dataclass(value) and type(value).__module__.startswith("unlearnbench."):
        for name in attributes(value):
            yield from reachable(getattr(value, name, None), f"{path}.{name}", depth - 1)


def attributes(value: Any) -> list[str]:
    """Return the names of what can be read of a dataclass: its fields, and the properties and caches of its class."""
    computed = [name for name in dir(type(value)) if not name.startswith("__") and computes(type(value), name)]
    return sorted({*(field.name for field in fields(value)), *computed} - {"fitted", "_trained", "_trainer", "job"})


def computes(cls: type, name: str) -> bool:
    found = next(vars(base)[name] for base in cls.__mro__ if name in vars(base))
    return type(found).__name__ in ("property", "cached_property")


class Recorder:
    """Notes what plug-ins are handed, and tries to write into all of it."""

    def __init__(self) -> None:
        self.seen: Seen = {}
        self.written: set[str] = set()

    def __call__(self, **arguments: object) -> None:
        for name, value in arguments.items():
            for path, array in reachable(value, name):
                self.seen.setdefault(path, []).append(array)
                if writable(array) and array.size:
                    self.written.add(path)
                    spoil(array)


def writable(array: np.ndarray) -> bool:
    base: object = array.base
    return array.flags.writeable or (isinstance(base, np.ndarray) and writable(base))


def spoil(array: np.ndarray) -> None:
    root = array
    while isinstance(root.base, np.ndarray):
        root = root.base
    if root.flags.writeable:
        root[...] = 1
    if array.flags.writeable:
        array[...] = 1


@dataclass(frozen=True)
class Shares:
    shares: np.ndarray

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        return log_softmax(np.outer(x[:, 0] / 20, self.shares))


@dataclass(frozen=True)
class Model(TargetModel):
    note: Recorder

    def fit(self, task: FitTask, device: str) -> Fitted:
        shares = np.bincount(task.data.y, minlength=task.data.n_classes) / len(task.data)
        self.note(task=task)
        return Asked(Shares(shares), self.note)


@dataclass(frozen=True)
class Asked:
    inner: Shares
    note: Recorder

    def log_posteriors(self, x: np.ndarray) -> np.ndarray:
        answer = self.inner.log_posteriors(x)
        self.note(x=x)
        return answer


@dataclass(frozen=True)
class Unlearner(FunctionUnlearner):
    note: Recorder

    def precompute(self, original: Original) -> None:
        self.note(original=original)

    def unlearn(self, deletion: Deletion) -> Fitted:
        shares = np.bincount(deletion.retain.y, minlength=3) / len(deletion.retain)
        self.note(deletion=deletion)
        return Asked(Shares(shares), self.note)


@dataclass(frozen=True)
class Asking(Scenario):
    note: Recorder

    def deletions_needed(self, sizes: EpisodeSizes) -> int:
        return sizes.requests

    def requests(self, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original) -> list[Request]:
        made = [Request((Step(pools.deletable[r : r + 1]),)) for r in range(sizes.requests)]
        self.note(pools=pools, sizes=sizes, original=original)
        return made

    def queries(
        self, request: Request, pools: Pools, sizes: EpisodeSizes, seeds: SeedPath, original: Original, fitted: Fitted
    ) -> Queries:
        made = super().queries(request, pools, sizes, seeds, original, fitted)
        self.note(request=request, pools=pools, original=original)
        return made


@dataclass(frozen=True)
class Scheduling(PublicationDefense):
    note: Recorder

    def schedule(self, requests: Sequence[Request]) -> Sequence[Request]:
        self.note(requests=list(requests))
        return requests


@dataclass(frozen=True)
class Releasing(Defense):
    note: Recorder

    def release(self, log_posteriors: np.ndarray, keys: ReleaseKeys) -> np.ndarray:
        self.note(log_posteriors=log_posteriors, keys=keys)
        return log_posteriors


@dataclass(frozen=True)
class Reading(Attack):
    note: Recorder
    needs = Needs(label=True, features=True)

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> Reading:
        self.note(shadow=shadow)
        return self

    def score(self, view: View) -> np.ndarray:
        scores = view.before[:, 0] - view.after[:, 0]
        self.note(view=view)
        return scores


@dataclass(frozen=True)
class Measuring(Metric):
    note: Recorder

    def measure(self, cell: ScoredCell) -> dict[str, Any]:
        self.note(cell=cell)
        return {}


def run(note: Recorder) -> dict[str, np.ndarray]:
    """Run an episode of each side and a cell by plug-ins that note what they are handed; return all results."""
    scenario = Asking(note)

    def episodes(side: Any) -> list[Episode]:
        parts = [
            EpisodeParts(RECORDS, Model(note), Unlearner(note), scenario, Scheduling(note), SIZES, side, k, 0, "cpu")
            for k in range(SIZES.originals)
        ]
        return [observe(part) for part in parts]

    target, shadow = episodes("target"), episodes("shadow")
    observed = [[episode.observations for episode in side] for side in (target, shadow)]
    seeds, positive, negative = game_seeds(0, RECORDS), scenario.positive, scenario.negative
    game = release(Game.of(RECORDS, *observed, positive=positive, negative=negative, seeds=seeds), Releasing(note))
    attack = Reading(note)
    scores = attack_scores(game, attack, "reading", Reading(note))
    cell = scored_cell(game, CellScores.of(game, scores, scores), attack, attack, utility(target))
    measure(cell, {"measuring": Measuring(note)})
    kept: dict[str, Any] = {
        "x": RECORDS.x,
        "y": RECORDS.y,
        "scores": scores.target,
        "shadow": scores.shadow,
        "folds": scores.folds,
    }
    sides = {"target": game.target, "shadow": game.shadow}
    rows = {f"{side} {f.name}": getattr(part, f.name) for side, part in sides.items() for f in fields(part)}
    return {name: values.copy() for name, values in (kept | rows).items()}


class Polite(Recorder):
    """Writes nothing."""

    def __call__(self, **arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def handed() -> tuple[Recorder, dict[str, np.ndarray]]:
    note = Recorder()
    return note, run(note)


def test_plugins_that_write_into_all_they_can_reach_change_no_result(
    handed: tuple[Recorder, dict[str, np.ndarray]],
) -> None:
    _, results = handed
    expected = run(Polite())
    for name, values in expected.items():
        np.testing.assert_array_equal(results[name], values, err_msg=name)


def test_what_can_be_written_into_is_made_for_one_call(handed: tuple[Recorder, dict[str, np.ndarray]]) -> None:
    note, _ = handed
    copies = {"x", "view", "shadow"}
    fresh = {"x", "y", "kept_ids", "forgotten", "added"}  # properties that index or join anew
    shared = {path for path in note.written if path.split(".")[0] not in copies and path.split(".")[-1] not in fresh}
    assert shared == set()


@pytest.mark.parametrize(
    "path",
    [
        "task.data.records.x",
        "task.data.records.y",
        "task.data.ids",
        "task.data.mask",
        "deletion.retain.records.x",
        "deletion.retain.ids",
        "deletion.forget.ids",
        "deletion.original.validation_ids",
        "original.data.spread",
        "original.data.records.has_duplicate",
        "pools.deletable",
        "pools.training",
        "pools.unseen",
        "pools.addable",
        "request.steps[].forget",
        "requests[].steps[].forget",
        "log_posteriors",
        "keys.record",
        "keys.version",
        "cell.scores",
        "cell.role",
        "cell.unchanged",
        "cell.folds",
        "cell.utility.epsilon",
        "cell.released.accuracy",
        "view.before",
        "shadow.member",
        "x",
    ],
)
def test_the_walk_reaches_the_arrays_of_every_kind_of_plugin(
    path: str, handed: tuple[Recorder, dict[str, np.ndarray]]
) -> None:
    assert path in handed[0].seen
