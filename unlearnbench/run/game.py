"""Release, attack, measure: from the observations of both sides to the estimates of one cell. Milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack
from unlearnbench.core.defenses import Defense, ReleaseKeys
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, Scored, Utility
from unlearnbench.core.observations import Needs, Observations, ShadowView, View
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath

FOLDS = 5
"""Shadow originals are left out in at most so many groups when shadow rows are scored to fix thresholds on."""


Places = NDArray[np.int64]


class QueriedRows(NamedTuple):
    """The rows of one request: their ``places`` among all, ``distinct`` ones of one row a record, and the way back.

    ``distinct[back]`` are rows of the same records as ``places``.
    """

    episode: int
    request: int
    places: Places
    distinct: Places
    back: Places


@dataclass(frozen=True, eq=False)
class Game:
    """One side-by-side of target and shadow, as released by one defense, and the roles to tell apart.

    Each side has the records that its rows name: the adversary's may be of another data set than the target's.
    """

    records: Records
    shadow_records: Records
    target: Observations
    shadow: Observations
    positive: Role
    negative: Role
    seeds: SeedPath

    def deleted(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which rows (n,) are positives of the game."""
        return np.asarray(observations.role == self.positive)

    @cached_property
    def balanced(self) -> Observations:
        """The shadow rows to learn from: every positive, and as many first negatives of its request."""
        return self.shadow.take(self.shadow.paired(self.positive, self.negative))

    @cached_property
    def requests(self) -> tuple[QueriedRows, ...]:
        """The target rows request by request."""
        return tuple(_requests(self.target))


def _requests(rows: Observations) -> Iterator[QueriedRows]:
    _, group = np.unique(np.stack([rows.episode, rows.request]), axis=1, return_inverse=True)
    order = np.argsort(group, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        _, first, back = np.unique(rows.record[places], return_index=True, return_inverse=True)
        yield QueriedRows(int(rows.episode[places[0]]), int(rows.request[places[0]]), places, places[first], back)


def release(game: Game, defense: Defense) -> Game:
    """Return the game as the adversary meets it: every posterior of both sides has gone through the defense."""
    return replace(
        game,
        target=_released(game.target, defense, (game.seeds / "release" / "target").seed()),
        shadow=_released(game.shadow, defense, (game.seeds / "release" / "shadow").seed()),
    )


def _released(observations: Observations, defense: Defense, seed: int) -> Observations:
    def let_out(log_posteriors: NDArray[np.float64], version: int) -> NDArray[np.float64]:
        number = np.full(len(observations), version, dtype=np.int64)
        keys = ReleaseKeys(seed, observations.episode, observations.request, number, observations.record)
        released = np.asarray(defense.release(log_posteriors, keys), dtype=np.float64)
        if released.shape != log_posteriors.shape or not np.isfinite(released).all():
            raise ValueError(f"a defense must release finite log-posteriors {log_posteriors.shape}, {_got(released)}")
        return released

    after = [let_out(observations.after[:, v], v + 1) for v in range(observations.after.shape[1])]
    return replace(observations, before=let_out(observations.before, 0), after=np.stack(after, axis=1))


@dataclass(frozen=True, eq=False)
class Scores:
    """What one attack says of the target rows (n,), and cross-fitted of the balanced shadow rows (m,)."""

    target: NDArray[np.float64]
    shadow: NDArray[np.float64]
    probabilistic: bool


def attack_scores(game: Game, attack: Attack, name: str) -> Scores:
    """Fit an attack on the shadow side and score the target side, whose membership and roles it is not given."""
    seeds = game.seeds / "attack" / name
    fitted = _fit(game, attack, np.arange(len(game.balanced)), seeds / "fit")
    return Scores(
        _score_requests(game, fitted, attack.needs, seeds / "target"),
        _cross_fitted(game, attack, seeds),
        attack.probabilistic,
    )


def oracle_scores(game: Game) -> Scores:
    """Return the scores of an adversary who knows the truth: made here, since no attack is given it."""
    return Scores(game.deleted(game.target).astype(float), game.deleted(game.balanced).astype(float), True)


def _fit(game: Game, attack: Attack, chosen: Places, seeds: SeedPath) -> FittedAttack:
    """Fit on the chosen balanced shadow rows, in random order."""
    rows, chosen = game.balanced, chosen[seeds.permutation(len(chosen))]
    view = _view(game.shadow_records, rows, chosen, attack.needs)
    shadow = ShadowView(**vars(view), deleted=game.deleted(rows)[chosen], member=rows.member[chosen])
    return attack.fit(shadow, seeds.rng())


def _score_requests(game: Game, fitted: FittedAttack, needs: Needs, seeds: SeedPath) -> NDArray[np.float64]:
    """Score the target rows of each request by themselves, every record once.

    Unseen records come from one pool and recur from request to request, deleted ones hardly ever do: an attack that
    held several requests could tell them apart by counting, without any model.
    """
    scores = np.empty(len(game.target))
    for asked in game.requests:
        path = seeds / asked.episode / asked.request
        scores[asked.places] = _score(game.records, game.target, asked.distinct, fitted, needs, path)[asked.back]
    return scores


def _score(
    records: Records, rows: Observations, chosen: Places, fitted: FittedAttack, needs: Needs, seeds: SeedPath
) -> NDArray[np.float64]:
    """Score the chosen rows in random order, so that their order tells nothing."""
    order = seeds.permutation(len(chosen))
    answered = np.asarray(fitted.score(_view(records, rows, chosen[order], needs)), dtype=np.float64)
    if answered.shape != (len(chosen),) or not np.isfinite(answered).all():
        raise ValueError(f"an attack must give one finite score for each of {len(chosen)} rows, {_got(answered)}")
    scores = np.empty(len(chosen))
    scores[order] = answered
    return scores


def _got(numbers: NDArray[np.float64]) -> str:
    return f"got shape {numbers.shape}, {np.count_nonzero(~np.isfinite(numbers))} of them not finite"


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
        scores[held_out] = _score(game.shadow_records, rows, held_out, fitted, attack.needs, path)
    return scores


def _view(records: Records, rows: Observations, chosen: Places, needs: Needs) -> View:
    """Return what ``needs`` declare of the chosen rows; the rest is not merely hidden but left out."""
    n, n_classes = len(chosen), rows.before.shape[1]
    sees_before, sees_after = needs.versions in ("both", "original"), needs.versions in ("both", "unlearned")
    return View(
        needs,
        n_classes,
        rows.episode[chosen],
        rows.request[chosen],
        rows.before[chosen] if sees_before else np.empty((n, 0)),
        rows.after[chosen] if sees_after else np.empty((n, 0, 0)),
        rows.versions[chosen],
        rows.label[chosen] if needs.label else np.empty(0, dtype=np.int64),
        records.x[rows.record[chosen]] if needs.features else np.empty((n, 0)),
    )


def measure(
    game: Game, scores: Scores, baseline: Scores, utility: Utility, metrics: Mapping[str, Metric]
) -> dict[str, Estimate]:
    """Return all estimates of one cell by name."""
    shadow_deleted = game.deleted(game.balanced) if len(scores.shadow) else np.empty(0, dtype=np.bool_)
    scored = Scored(
        observations=game.target,
        scores=scores.target,
        positive=game.positive,
        negative=game.negative,
        baseline=baseline.target,
        shadow_scores=scores.shadow,
        shadow_deleted=shadow_deleted,
        probabilistic=scores.probabilistic,
        baseline_probabilistic=baseline.probabilistic,
        utility=utility,
    )
    estimates: dict[str, Estimate] = {}
    for name, metric in metrics.items():
        measured = metric.measure(scored)
        if strange := [own for own, estimate in measured.items() if not isinstance(estimate, Estimate)]:
            raise TypeError(f"metric {name} gives {', '.join(strange)}, which must be an Estimate")
        if clash := estimates.keys() & measured.keys():
            raise ValueError(f"metric {name} gives {', '.join(sorted(clash))}, which another metric gives too")
        estimates.update(measured)
    return estimates
