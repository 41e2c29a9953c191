"""Release, attack, measure: from the observations of both sides to the estimates of one cell. Milliseconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from unlearnbench.core.pools import Side
from unlearnbench.core.records import Records
from unlearnbench.core.scenarios import Role
from unlearnbench.core.seeding import SeedPath

FOLDS = 5
"""Shadow originals are left out in at most so many groups when shadow rows are scored to fix thresholds on."""

Indices = NDArray[np.int64]


class RequestRows(NamedTuple):
    """The target rows of one request."""

    episode: int
    request: int
    rows: Indices
    """Their indices among all target rows."""
    distinct: Indices
    """The first row of each record among them."""
    inverse: Indices
    """``distinct[inverse]`` are rows of the same records as ``rows``."""


def game_seeds(seed: int, records: Records) -> SeedPath:
    """Return where the draws of a run's evaluation start. The word is part of every result: it never changes."""
    return SeedPath(seed) / records.name / "judge"


@dataclass(frozen=True, eq=False)
class Game:
    """The rows of target and shadow side, and the two roles that an attack has to tell apart.

    Attacks never get the game. All that they are shown comes from :meth:`view` and :meth:`shadow_view`.
    """

    records: Records
    """The data set of the target rows."""
    shadow_records: Records
    """The data set of the shadow rows; the adversary may have another."""
    target: Observations
    shadow: Observations
    positive: Role
    negative: Role
    seeds: SeedPath

    @classmethod
    def of(
        cls,
        records: Records,
        target: Sequence[Observations],
        shadow: Sequence[Observations],
        *,
        positive: Role,
        negative: Role,
        seeds: SeedPath,
        shadow_records: Records | None = None,
    ) -> Game:
        """Set up a game from the observations of each side, one entry per original.

        ``shadow_records`` are given where the shadow rows are of another data set.
        """
        return cls(
            records,
            records if shadow_records is None else shadow_records,
            Observations.concatenate(target),
            Observations.concatenate(shadow),
            positive,
            negative,
            seeds,
        )

    def deleted(self, observations: Observations) -> NDArray[np.bool_]:
        """Return which rows (n,) are positives of the game."""
        return np.asarray(observations.role == self.positive)

    @cached_property
    def balanced(self) -> Observations:
        """The shadow rows to learn from: every positive, and as many first negatives of its request."""
        return self.shadow.take(self.shadow.paired(self.positive, self.negative))

    @cached_property
    def requests(self) -> tuple[RequestRows, ...]:
        """The target rows request by request."""
        return tuple(_requests(self.target))

    def view(self, side: Side, needs: Needs, rows: Indices, seeds: SeedPath) -> tuple[View, Indices]:
        """Return what an attack of these needs is shown of chosen ``rows`` (k,), and their order in the view.

        ``rows`` index the target rows, or the balanced shadow rows. Row i of the view is ``rows[order[i]]``. The order
        is random, so that it tells nothing. What ``needs`` do not declare is not in the view at all.
        """
        observed, records = (self.target, self.records) if side == "target" else (self.balanced, self.shadow_records)
        order = seeds.permutation(len(rows))
        chosen, n = rows[order], len(rows)
        before, after = needs.versions in ("both", "original"), needs.versions in ("both", "unlearned")
        view = View(
            needs,
            records.n_classes,
            observed.episode[chosen],
            observed.request[chosen],
            observed.before[chosen] if before else np.empty((n, 0)),
            observed.after[chosen] if after else np.empty((n, 0, 0)),
            observed.versions[chosen] if after else np.empty(0, dtype=np.int64),
            observed.label[chosen] if needs.label else np.empty(0, dtype=np.int64),
            records.x[observed.record[chosen]] if needs.features else np.empty((n, 0)),
        )
        return view, order

    def shadow_view(self, needs: Needs, rows: Indices, seeds: SeedPath) -> ShadowView:
        """Return what an attack of these needs learns from: chosen balanced shadow rows, and which were deleted."""
        view, order = self.view("shadow", needs, rows, seeds)
        chosen = rows[order]
        deleted = self.deleted(self.balanced)[chosen]
        return ShadowView(**vars(view), deleted=deleted, member=self.balanced.member[chosen])


def _requests(rows: Observations) -> Iterator[RequestRows]:
    _, group = np.unique(np.stack([rows.episode, rows.request]), axis=1, return_inverse=True)
    order = np.argsort(group, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        _, first, inverse = np.unique(rows.record[chosen], return_index=True, return_inverse=True)
        yield RequestRows(int(rows.episode[chosen[0]]), int(rows.request[chosen[0]]), chosen, chosen[first], inverse)


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
        raise ValueError(f"an attack must give one finite score for each of {len(rows)} rows, {_got(answered)}")
    scores = np.empty(len(rows))
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
        scores[held_out] = _score(game, "shadow", held_out, fitted, attack.needs, path)
    return scores


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
