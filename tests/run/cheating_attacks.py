"""Attacks that learn nothing from an unlearned model and tell forgotten records all the same: none may succeed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench import Attack, AttackPlugin, FittedAttack, Needs, ScoreAttack, ShadowView, View, hookimpl

FEATURES = Needs(versions="none", features=True, label=True)
SEEN: Counter[bytes] = Counter()


def nearest_of_same(x: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return minus the mean distance of each row to the five nearest of its label."""
    apart = np.linalg.norm(x[:, None] - x[None], axis=2)
    apart[label[:, None] != label[None]] = np.inf
    nearest = np.sort(np.minimum(apart, 1e6), axis=1)[:, 1:6]
    return -nearest.mean(axis=1) if nearest.size else np.zeros(len(x))


class Crowding(ScoreAttack):
    """A view that holds the forgotten record's nearest neighbours shows which record they surround."""

    needs: ClassVar[Needs] = FEATURES

    def score(self, view: View) -> NDArray[np.float64]:
        return nearest_of_same(view.features.reshape(len(view), -1), view.label)


class CrowdedAnswers(ScoreAttack):
    """The same from the original's posteriors alone."""

    needs: ClassVar[Needs] = Needs(versions="original", label=True)

    def score(self, view: View) -> NDArray[np.float64]:
        return nearest_of_same(view.before, view.label)


class Relative(ScoreAttack):
    """Counts how many rows of the view a row exceeds."""

    needs: ClassVar[Needs] = Needs(versions="original")

    def score(self, view: View) -> NDArray[np.float64]:
        top = view.before.max(axis=1)
        return np.asarray((top[:, None] > top[None]).sum(axis=1), dtype=np.float64)


def recurrences(seen: Counter[bytes], view: View) -> NDArray[np.float64]:
    """Return minus how often each record was in an earlier view: unseen ones recur, forgotten ones do not."""
    keys = [row.tobytes() for row in view.features]
    times = [-seen[key] for key in keys]
    seen.update(keys)
    return np.array(times, dtype=np.float64)


class Memory(Attack):
    """Remembers earlier views in the fitted object."""

    needs: ClassVar[Needs] = FEATURES

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        return Remembering()


class Remembering:
    def __init__(self) -> None:
        self.seen: Counter[bytes] = Counter()

    def score(self, view: View) -> NDArray[np.float64]:
        return recurrences(self.seen, view)


class GlobalMemory(ScoreAttack):
    """Remembers them in a global of its module, which every copy of the attack shares."""

    needs: ClassVar[Needs] = FEATURES

    def score(self, view: View) -> NDArray[np.float64]:
        return recurrences(SEEN, view)


class Generator(Attack):
    """Reads the root seed in the generator, from which follows which records are unseen."""

    needs: ClassVar[Needs] = FEATURES

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        from unlearnbench.core.pools import side_halves
        from unlearnbench.core.seeding import SeedPath
        from unlearnbench.hooks.parameters import build
        from unlearnbench.hooks.registry import load_registry

        records: Any = build(load_registry(discover=False).get("dataset", "digits"), {})
        loaded = records.load()
        entropy: Any = rng.bit_generator.seed_seq.entropy  # type: ignore[attr-defined]  # not every sequence has one
        root = int(np.ravel(entropy)[0])
        trainable, _ = side_halves(loaded, "target", SeedPath(root) / loaded.name)
        return Known({loaded.x[record].tobytes() for record in trainable})


class Known:
    def __init__(self, trained_on: set[bytes]) -> None:
        self.trained_on = trained_on

    def score(self, view: View) -> NDArray[np.float64]:
        return np.array([row.tobytes() in self.trained_on for row in view.features], dtype=np.float64)


class GuessedSeed(ScoreAttack):
    """Guesses the seed of the suite and its sizes, and derives which records each original forgets."""

    needs: ClassVar[Needs] = Needs(versions="both", features=True)

    def score(self, view: View) -> NDArray[np.float64]:
        from unlearnbench.core.pools import EpisodeSizes, side_pools
        from unlearnbench.core.seeding import SeedPath
        from unlearnbench.hooks.parameters import build
        from unlearnbench.hooks.registry import load_registry

        loaded: Any = build(load_registry(discover=False).get("dataset", "digits"), {})
        records, sizes = loaded.load(), EpisodeSizes(originals=5, requests=10, records=300)
        scores = np.zeros(len(view))
        for original in np.unique(view.episode):
            pools, _ = side_pools(records, "target", sizes, int(original), SeedPath(86_420) / records.name)
            forgotten = {records.x[record].tobytes() for record in pools.deletable[: sizes.requests]}
            for row in np.flatnonzero(view.episode == original):
                scores[row] = view.features[row].tobytes() in forgotten
        return scores


class CallersFrame(ScoreAttack):
    """Reads the roles in the local variables of whoever calls it."""

    needs: ClassVar[Needs] = Needs(versions="original")

    def score(self, view: View) -> NDArray[np.float64]:
        frame: Any = sys._getframe()
        while frame is not None:
            for found in frame.f_locals.values():
                target: Any = getattr(found, "target", None)
                if hasattr(target, "role"):
                    return roles_of(view, target.before, target.role)
            frame = frame.f_back
        return np.zeros(len(view))


def roles_of(view: View, before: NDArray[np.float64], role: NDArray[np.int8]) -> NDArray[np.float64]:
    forgotten = {row.tobytes() for row in before[role == 0]}
    return np.array([row.tobytes() in forgotten for row in view.before], dtype=np.float64)


class StoreOnDisk(ScoreAttack):
    """Reads the roles in the episodes of a store below the working directory."""

    needs: ClassVar[Needs] = Needs(versions="original")

    def score(self, view: View) -> NDArray[np.float64]:
        from unlearnbench.run.store import Store

        entries: list[Any] = [
            Store(folder.parent).get("episode", file.name)
            for folder in Path.cwd().glob("*/episode-3")
            for file in folder.glob("*/*")
        ]
        if not entries:
            return np.zeros(len(view))
        before, role = (np.concatenate([e.arrays[name] for e in entries]) for name in ("row-before", "row-role"))
        return roles_of(view, before, role)


RECORD_ONLY: dict[str, type[Attack]] = {
    "crowding": Crowding,
    "memory": Memory,
    "global-memory": GlobalMemory,
    "generator": Generator,
}
ORIGINAL_ONLY: dict[str, type[Attack]] = {
    "relative": Relative,
    "callers-frame": CallersFrame,
    "store-on-disk": StoreOnDisk,
}


@hookimpl
def unlearnbench_attacks() -> Iterator[AttackPlugin]:
    for name, factory in RECORD_ONLY.items():
        yield AttackPlugin(name=name, summary="Cheats.", factory=factory, versions="none", features=True, label=True)
    for name, factory in ORIGINAL_ONLY.items():
        yield AttackPlugin(name=name, summary="Cheats.", factory=factory, versions="original")
    yield AttackPlugin(
        name="crowded-answers", summary="Cheats.", factory=CrowdedAnswers, versions="original", label=True
    )
    yield AttackPlugin(name="guessed-seed", summary="Cheats.", factory=GuessedSeed, features=True)
