"""Fitting an attack on the shadow side of a game and scoring the target side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack, ScoreAttack
from unlearnbench.core.observations import Needs
from unlearnbench.core.pools import Side
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.game import Game, Indices, describe

FOLDS = 5
"""Shadow originals are left out in at most so many groups, the folds: to score shadow rows, which thresholds are fixed
on, by attacks that have not seen them, and to see how much an attack depends on its shadow models."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores that one attack gives; higher means deleted."""

    target: NDArray[np.float64]
    """Of the target rows (n,)."""
    shadow: NDArray[np.float64]
    """Of the balanced shadow rows (m,), each by the attack fitted without the fold of that row's original; empty where
    there is one shadow original."""
    folds: NDArray[np.float64]
    """Of the target rows (k, n), by the attack fitted without each fold; (0, n) where the attack learns nothing or
    there is one shadow original."""


def attack_scores(game: Game, attack: Attack, name: str) -> Scores:
    """Fit an attack on the shadow side and score the target side, whose membership and roles it is not given."""
    seeds = game.seeds / "attack" / name
    fitted = _fit(game, attack, np.arange(len(game.balanced)), seeds)
    return Scores(_score_requests(game, fitted, attack.needs, seeds / "target"), *_cross_fitted(game, attack, seeds))


def folds_of(game: Game) -> Indices:
    """Return the fold (m,) of each balanced shadow row; rows of one original are of one fold."""
    originals, number = np.unique(game.balanced.episode, return_inverse=True)
    return np.asarray(number % min(FOLDS, len(originals)))


def folds_scored(game: Game, attack: Attack) -> int:
    """Return by how many attacks, fitted without a fold each, the target rows are scored."""
    fold = folds_of(game)
    return 0 if isinstance(attack, ScoreAttack) or not fold.any() else int(fold.max()) + 1


def oracle_scores(game: Game) -> Scores:
    """Return the scores of an adversary who knows the truth: made here, since no attack is given it."""
    target = game.deleted(game.target).astype(float)
    return Scores(target, game.deleted(game.balanced).astype(float), np.empty((0, len(target))))


def _fit(game: Game, attack: Attack, rows: Indices, seeds: SeedPath) -> FittedAttack:
    """Fit on the chosen balanced shadow rows; all fits of one attack share their random numbers.

    Were they drawn anew, an attack that learns little and draws much would seem to depend on each fold.
    """
    path = seeds / "fit"
    return attack.fit(game.shadow_view(attack.needs, rows, path), path.rng())


def _score_requests(game: Game, fitted: FittedAttack, needs: Needs, seeds: SeedPath) -> NDArray[np.float64]:
    """Score the target rows of each request by themselves, every record once.

    Unseen records come from one pool and recur from request to request, deleted ones hardly ever do: an attack that
    held several requests could tell them apart by counting, without any model.
    """
    scores = np.empty(len(game.target))
    for request in game.requests:
        path = seeds / request.episode / request.request
        scores[request.rows] = _score(game, "target", request.distinct, fitted, needs, path)[request.inverse]
    return scores


def _score(
    game: Game, side: Side, rows: Indices, fitted: FittedAttack, needs: Needs, seeds: SeedPath
) -> NDArray[np.float64]:
    """Return a score (k,) for each of the chosen rows (k,)."""
    view, order = game.view(side, needs, rows, seeds)
    answered = np.asarray(fitted.score(view), dtype=np.float64)
    if answered.shape != (len(rows),) or not np.isfinite(answered).all():
        raise ValueError(f"an attack must give one finite score for each of {len(rows)} rows, {describe(answered)}")
    scores = np.empty(len(rows))
    scores[order] = answered
    return scores


def _cross_fitted(game: Game, attack: Attack, seeds: SeedPath) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit the attack without each fold of shadow originals, and score the rows of that fold and the target rows.

    Returns scores (m,) of the balanced shadow rows and (k, n) of the target rows, both empty for one original. What
    they are for is how much the adversary's numbers depend on its shadow models, so target rows are scored at once.
    """
    fold, everything = folds_of(game), np.arange(len(game.target))
    shadow, target = np.empty(len(fold)), []
    if not fold.any():
        return np.empty(0), np.empty((0, len(everything)))
    scored = folds_scored(game, attack)
    for k in range(int(fold.max()) + 1):
        fitted = _fit(game, attack, np.flatnonzero(fold != k), seeds)
        held_out = np.flatnonzero(fold == k)
        shadow[held_out] = _score(game, "shadow", held_out, fitted, attack.needs, seeds / "fold-score" / k)
        if k < scored:
            target.append(_score(game, "target", everything, fitted, attack.needs, seeds / "fold-target" / k))
    return shadow, np.stack(target) if target else np.empty((0, len(everything)))
