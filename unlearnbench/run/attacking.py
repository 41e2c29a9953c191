"""Fitting an attack on the shadow side of a game and scoring the target side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs
from unlearnbench.core.pools import Side
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.game import Game, Indices, describe

FOLDS = 5
"""Shadow originals are left out in at most so many groups when shadow rows are scored to fix thresholds on."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores that one attack gives; higher means deleted."""

    target: NDArray[np.float64]
    """Of the target rows (n,)."""
    shadow: NDArray[np.float64]
    """Of the balanced shadow rows (m,), each by an attack fitted without that row's original; empty where there is one
    shadow original."""


def attack_scores(game: Game, attack: Attack, name: str) -> Scores:
    """Fit an attack on the shadow side and score the target side, whose membership and roles it is not given."""
    seeds = game.seeds / "attack" / name
    fitted = _fit(game, attack, np.arange(len(game.balanced)), seeds / "fit")
    return Scores(_score_requests(game, fitted, attack.needs, seeds / "target"), _cross_fitted(game, attack, seeds))


def oracle_scores(game: Game) -> Scores:
    """Return the scores of an adversary who knows the truth: made here, since no attack is given it."""
    return Scores(game.deleted(game.target).astype(float), game.deleted(game.balanced).astype(float))


def _fit(game: Game, attack: Attack, rows: Indices, seeds: SeedPath) -> FittedAttack:
    """Fit on the chosen balanced shadow rows."""
    return attack.fit(game.shadow_view(attack.needs, rows, seeds), seeds.rng())


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


def _cross_fitted(game: Game, attack: Attack, seeds: SeedPath) -> NDArray[np.float64]:
    """Score each balanced shadow row by an attack that never saw that row's original; none for one original."""
    rows = game.balanced
    originals, number = np.unique(rows.episode, return_inverse=True)
    if len(originals) < 2:
        return np.empty(0)
    fold = number % min(FOLDS, len(originals))
    scores = np.empty(len(rows))
    for k in range(fold.max() + 1):
        fitted = _fit(game, attack, np.flatnonzero(fold != k), seeds / "fold" / k)
        held_out = np.flatnonzero(fold == k)
        path = seeds / "fold-score" / k
        scores[held_out] = _score(game, "shadow", held_out, fitted, attack.needs, path)
    return scores
