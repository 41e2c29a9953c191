"""Fitting an attack on the shadow side of a game, scoring the target side, and checking that it scores single rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.observations import Needs
from unlearnbench.core.pools import Side, draw
from unlearnbench.core.seeding import SeedPath
from unlearnbench.run.game import Game, Indices, as_scores
from unlearnbench.run.isolated import IsolatedFit

FOLDS = 5
"""Shadow originals are left out in at most so many groups when shadow rows are scored to fix thresholds on."""
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
    """Of the balanced shadow rows (m,), each by an attack fitted without that row's original; empty where there is one
    shadow original."""


def attack_scores(game: Game, attack: Attack, name: str, second: Attack | None = None) -> Scores:
    """Fit an attack on the shadow side and score the target side, whose membership and roles it is not given.

    ``second`` is the same attack, and shares no memory with it: it is fitted again and scores a sample of rows again.
    By default it is a copy. ValueError where a score depends on more than its row and what ``fit`` learned.
    """
    second = deepcopy(attack) if second is None else second
    seeds, rows = game.seeds / "attack" / name, np.arange(len(game.balanced))
    target = _score_target(game, _fit(game, attack, rows, seeds / "fit"), attack.needs, seeds / "target")
    _check_rows(game, _fit(game, second, rows, seeds / "fit"), attack.needs, target, seeds / "check")
    return Scores(target, _cross_fitted(game, attack, seeds))


def oracle_scores(game: Game) -> Scores:
    """Return the scores of an adversary who knows the truth: made here, since no attack is given it."""
    return Scores(game.deleted(game.target).astype(float), game.deleted(game.balanced).astype(float))


def _fit(game: Game, attack: Attack, rows: Indices, seeds: SeedPath) -> FittedAttack:
    """Fit on the chosen balanced shadow rows."""
    return attack.fit(game.shadow_view(attack.needs, rows, seeds), seeds.rng())


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
        (scores[held_out],) = _score(game, "shadow", [(held_out, seeds / "fold-score" / k)], fitted, attack.needs)
    return scores
