"""What a defense releases of a game: every posterior that its models answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.defenses import Defense, ReleaseKeys
from unlearnbench.core.observations import Observations
from unlearnbench.core.posteriors import fault_of
from unlearnbench.run.game import Game


def release(game: Game, defense: Defense) -> Game:
    """Return the game with every posterior as the defense releases it, of both sides and of reference models.

    Distances to the decision boundary follow from labels: they stay where labels do, and are left out elsewhere.
    """

    def one(rows: Observations, what: str) -> Observations:
        """Release rows; ids of noisy copies differ from those of records, so both may have one seed."""
        return _released(rows, defense, (game.seeds / "release" / what).seed())

    released = replace(
        game,
        target=one(game.target, "target"),
        shadow=one(game.shadow, "shadow"),
        population=one(game.population, "population") if game.population else None,
        copies={side: one(rows, side) for side, rows in game.copies.items()},
    )
    if game.boundary and not (defense.keeps_label and _same_labels(game, released)):
        released = replace(released, boundary={})
    return with_references(released, game.references, defense)


def _same_labels(game: Game, released: Game) -> bool:
    """Return whether all released rows have the models' labels: rounding can make a tie of what was none."""
    pairs = ((game.target, released.target), (game.shadow, released.shadow))
    return all(
        np.array_equal(getattr(one, name).argmax(axis=-1), getattr(other, name).argmax(axis=-1))
        for one, other in pairs
        for name in ("before", "after")
    )


def with_references(released: Game, models: Sequence[Observations], defense: Defense) -> Game:
    """Return a game that a defense has released with other reference models, which it releases too."""
    seed = (released.seeds / "release" / "reference").seed()
    return replace(released, references=tuple(_released(rows, defense, seed) for rows in models))


def _released(observations: Observations, defense: Defense, seed: int) -> Observations:
    def one(log_posteriors: NDArray[np.float64], version: int) -> NDArray[np.float64]:
        number = np.full(len(observations), version, dtype=np.int64)
        keys = ReleaseKeys(seed, observations.episode, observations.request, number, observations.record)
        released = np.array(defense.release(log_posteriors, keys))  # a copy: it may use its array again
        if fault := fault_of(released, log_posteriors.shape):
            raise ValueError(f"a defense must release log-posteriors {log_posteriors.shape}, but {fault}")
        return released.astype(np.float64, copy=False)

    after = [one(observations.after[:, v], v + 1) for v in range(observations.after.shape[1])]
    return replace(observations, before=one(observations.before, 0), after=np.stack(after, axis=1))
