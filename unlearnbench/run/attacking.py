"""Fitting an attack on the shadow side of a game, scoring the target side, and checking that it scores single rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.metrics import single_precision
from unlearnbench.core.observations import Needs
from unlearnbench.core.pools import Side, draw
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.game import Game, Indices, as_scores
from unlearnbench.run.isolated import IsolatedFit

FOLDS = 5
"""Shadow originals are left out in at most so many groups, the folds: to score shadow rows, which thresholds are fixed
on, by attacks that have not seen them, and to see how much an attack depends on its shadow models."""
CHECKED = (64, 192)
"""How many positives, and how many other target rows, are scored a second time in other company."""
ALONE = 4
"""How many of each of these are scored alone too."""
VIEWS = 32
"""How many views are made before the first of them is scored."""


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores that one attack gives; higher means deleted."""

    target: NDArray[np.float64]
    """Of the target rows (n,)."""
    shadow: NDArray[np.float64]
    """Of the balanced shadow rows (m,), each by the attack fitted without the fold of that row's original; empty where
    there is one shadow original, or where the attack reads what there is for target rows only."""
    folds: NDArray[np.float32]
    """Of the target rows (k, n), by the attack fitted without each fold; (0, n) where the attack learns nothing or
    there is one shadow original. In single precision: they say how much the numbers of an adversary vary, and are most
    of what is stored of a cell."""


def attack_scores(game: Game, attack: Attack, name: str, second: Attack | None = None) -> Scores:
    """Fit an attack on the shadow side and score the target side, whose membership and roles it is not given.

    ``second`` is the same attack, and shares no memory with it: it is fitted again and scores a sample of rows again.
    By default it is a copy. ValueError where a score depends on more than its row and what ``fit`` learned.
    """
    second = deepcopy(attack) if second is None else second
    seeds, rows = game.seeds / "attack" / name, game.learned(attack.needs)
    target = _score_target(game, _fit(game, attack, rows, seeds), attack.needs, seeds / "target")
    _check_rows(game, _fit(game, second, rows, seeds), attack.needs, target, seeds / "check")
    return Scores(target, *_cross_fitted(game, attack, seeds))


def folds_of(game: Game) -> Indices:
    """Return the fold (m,) of each balanced shadow row; rows of one original are of one fold."""
    return _folds(game.balanced.episode)


def _folds(episode: Indices) -> Indices:
    originals, number = np.unique(episode, return_inverse=True)
    return np.asarray(number % min(FOLDS, len(originals)))


def folds_scored(game: Game, attack: Attack) -> int:
    """Return by how many attacks, fitted without a fold each, the target rows are scored."""
    fold = folds_of(game)
    return int(fold.max()) + 1 if attack.learns and cross_fits(game, attack) else 0


def cross_fits(game: Game, attack: Attack) -> bool:
    """Return whether shadow rows are scored: there are two folds, and the attack reads nothing that they lack."""
    return bool(folds_of(game).any()) and not attack.needs.target_only


def oracle_scores(game: Game) -> Scores:
    """Return the scores of an adversary who knows the truth: made here, since no attack is given it."""
    target = game.deleted(game.target).astype(float)
    return Scores(target, game.deleted(game.balanced).astype(float), np.empty((0, len(target)), dtype=np.float32))


def _fit(game: Game, attack: Attack, rows: Indices, seeds: SeedPath) -> FittedAttack:
    """Fit on the chosen shadow rows; all fits of one attack share their random numbers.

    Were they drawn anew, an attack that learns little and draws much would seem to depend on each fold.
    """
    path = seeds / "fit"
    return attack.fit(game.shadow_view(attack.needs, rows, path), path.rng())


def _score_target(game: Game, fitted: FittedAttack, needs: Needs, seeds: SeedPath) -> NDArray[np.float64]:
    """Score every target row in its company (see :attr:`Game.companies`), every queried record once."""
    sets = [(company.distinct, seeds / company.parts[0] / company.parts[1]) for company in game.companies]
    scores = np.empty(len(game.target))
    for company, found in zip(game.companies, _score(game, "target", sets, fitted, needs), strict=True):
        scores[company.rows] = found[company.inverse]
    return scores


def _score(
    game: Game, side: Side, sets: Sequence[tuple[Indices, SeedPath]], fitted: FittedAttack, needs: Needs
) -> Iterator[NDArray[np.float64]]:
    """Yield a score (k,) for each row of each set (k,), every set in a view of its own, shuffled by its seeds."""
    for first in range(0, len(sets), VIEWS):
        some = sets[first : first + VIEWS]
        views, orders = zip(*(game.view(side, needs, *one) for one in some), strict=True)
        each = fitted.score_each(views) if isinstance(fitted, IsolatedFit) else map(fitted.score, views)
        for (rows, _), order, answered in zip(some, orders, each, strict=True):
            scores = np.empty(len(rows))
            scores[order] = as_scores(answered, len(rows))
            yield scores


def _check_rows(game: Game, fitted: FittedAttack, needs: Needs, scores: NDArray[np.float64], seeds: SeedPath) -> None:
    """Score a random sample of target rows together and some of them alone; ValueError where a score differs.

    An attack that scores a share q of the positives by their company goes unnoticed with probability (1 - q)^64.
    """
    positive = game.deleted(game.target)
    kinds = (np.flatnonzero(positive), np.flatnonzero(~positive))
    samples = [draw(rows, n, seeds / kind) for kind, (rows, n) in enumerate(zip(kinds, CHECKED, strict=True))]
    together, alone = np.concatenate(samples), [row[None] for sample in samples for row in sample[:ALONE]]
    sets = [(rows, seeds / "view" / number) for number, rows in enumerate([together, *alone])]
    for (rows, _), again in zip(sets, _score(game, "target", sets, fitted, needs), strict=True):
        if differing := np.count_nonzero(again != scores[rows]):
            where = f"{differing} of {len(rows)} rows in other company" if rows is together else "a row alone"
            raise ValueError(
                f"fitted again, the attack gives {where} another score; a score must follow to the bit from its row "
                "and from what fit learned (docs/plugins.md)"
            )


def _cross_fitted(game: Game, attack: Attack, seeds: SeedPath) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Fit the attack without each fold of shadow originals, and score the rows of that fold and the target rows.

    Returns scores (m,) of the balanced shadow rows and (k, n) of the target rows, both empty where none is scored. They
    say how much the adversary's numbers depend on its shadow models, so all target rows are scored in one view.
    """
    fold, everything, learned = folds_of(game), np.arange(len(game.target)), game.learned(attack.needs)
    learned_fold = _folds(game.lesson.episode[learned])
    shadow = np.empty(len(fold))
    target: list[NDArray[np.float64]] = []
    if not cross_fits(game, attack):
        return np.empty(0), np.empty((0, len(everything)), dtype=np.float32)
    scored = folds_scored(game, attack)
    for k in range(int(fold.max()) + 1):
        fitted = _fit(game, attack, learned[learned_fold != k], seeds)
        held_out = np.flatnonzero(fold == k)
        (shadow[held_out],) = _score(game, "shadow", [(held_out, seeds / "fold-score" / k)], fitted, attack.needs)
        if k < scored:
            sets = [(everything, seeds / "fold-target" / k)]
            target += _score(game, "target", sets, fitted, attack.needs)
    return shadow, single_precision(np.reshape(target, (len(target), len(everything))))
