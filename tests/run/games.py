"""Games that are made up, and attacks that note what they are shown."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from unlearnbench.core.attacks import Attack, FittedAttack, ScoreAttack
from unlearnbench.core.copies import SCALES, copy_ids
from unlearnbench.core.observations import Needs, Observations, ShadowView, View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.records import Provenance, Records
from unlearnbench.core.scenarios import Role
from unlearnbench.run.boundary_rows import BoundaryRows
from unlearnbench.run.game import Game, game_seeds
from unlearnbench.stats import auc

REQUESTS, NEGATIVES, COPIES = 4, 9, 8


def side(seed: int, originals: int = 6, leak: float = 2.0) -> Observations:
    """Rows in a telling order: of each request first the forgotten record, then unseen, matched and retained ones."""
    rng = np.random.default_rng(seed)
    role = np.r_[[Role.FORGOTTEN], [Role.UNSEEN] * NEGATIVES, [Role.MATCHED] * 2, [Role.RETAINED] * 3].astype(np.int8)
    place = np.concatenate([np.arange(np.count_nonzero(role == r)) for r in dict.fromkeys(role)])
    n = originals * REQUESTS * len(role)
    roles = np.tile(role, originals * REQUESTS)
    logits = rng.normal(size=(n, 3))
    moved = logits.copy()
    moved[:, 0] -= leak * (roles == Role.FORGOTTEN) + 0.1 * rng.normal(size=n)
    was_in = np.isin(roles, (Role.FORGOTTEN, Role.RETAINED))
    return Observations(
        before=log_softmax(logits),
        after=log_softmax(moved)[:, None],
        versions=np.ones(n, dtype=np.int64),
        member=np.stack([was_in, roles == Role.RETAINED], axis=1),
        label=rng.integers(3, size=n),
        record=rng.permutation(n),
        episode=np.repeat(np.arange(originals), n // originals),
        request=np.tile(np.repeat(np.arange(REQUESTS), len(role)), originals),
        role=roles,
        position=np.tile(place, originals * REQUESTS),
    )


def make_game(originals: int = 6) -> Game:
    target, shadow = side(1, originals), side(2, originals)
    x = np.random.default_rng(3).normal(size=(len(target), 4))
    records = Records("made", x, np.zeros(len(x), dtype=np.int64), 3, Provenance("made here", "CC0"))
    made = Game.of(
        records,
        [target],
        [shadow],
        seeds=game_seeds(0, records),
        positive=Role.FORGOTTEN,
        negative=Role.UNSEEN,
        population=[population(originals)],
    )
    return replace(
        made,
        references=tuple(reference_model(target, number) for number in range(16)),
        copies={"target": noisy_copies(target, records), "shadow": noisy_copies(shadow, records)},
        boundary={"target": distances(target), "shadow": distances(shadow)},
    )


def distances(rows: Observations) -> BoundaryRows:
    """Random distances to the decision boundary for each row."""
    found = np.random.default_rng(10).exponential(size=(len(rows), 2))
    return BoundaryRows(found, np.full(found.shape, 100))


def noisy_copies(rows: Observations, records: Records) -> Observations:
    """Rows of the copies of each row's record, with random answers."""
    each = COPIES * len(SCALES)
    asked = rows.take(np.repeat(np.arange(len(rows)), each))
    before, after = log_softmax(np.random.default_rng(9).normal(size=(2, *asked.before.shape)))
    record = copy_ids(records, rows.record, COPIES).ravel()
    position = np.tile(np.arange(each), len(rows))
    return replace(asked, before=before, after=after[:, None], record=record, position=position)


def reference_model(target: Observations, number: int) -> Observations:
    """Rows of all queried records, ascending; every second model holds a record."""
    rows = target.take(np.argsort(target.record))
    member = np.stack([(rows.record + number) % 2 == 0, np.zeros(len(rows), dtype=np.bool_)], axis=1)
    rng = np.random.default_rng(number)
    before, after = (log_softmax(np.log(0.1) + rng.normal(size=rows.before.shape)) for _ in range(2))
    episode = np.full(len(rows), number)
    return replace(rows, before=before, after=after[:, None], member=member, episode=episode)


def population(originals: int, size: int = 100) -> Observations:
    """Rows of the same records for each request."""
    one = side(7, originals)
    pairs = np.repeat(np.flatnonzero(one.role == Role.FORGOTTEN), size)
    rows, n = one.take(pairs), len(pairs) // size
    answers = log_softmax(np.random.default_rng(8).normal(size=rows.before.shape))
    place = np.tile(np.arange(size), n)
    return replace(rows, before=answers, after=answers[:, None], record=place, position=place)


@dataclass
class Recorder(Attack):
    """Keeps what it is shown."""

    declared: Needs = field(default_factory=lambda: Needs(label=True, features=True))
    fitted_on: list[ShadowView] = field(default_factory=list)
    scored: list[View] = field(default_factory=list)
    pairs: list[tuple[set[int], set[int]]] = field(default_factory=list)

    @property
    def needs(self) -> Needs:
        return self.declared

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        self.fitted_on.append(shadow)
        return Fitted(self, set(shadow.episode.tolist()))


@dataclass
class Fitted:
    recorder: Recorder
    seen: set[int]

    def score(self, view: View) -> NDArray[np.float64]:
        self.recorder.scored.append(view)
        self.recorder.pairs.append((self.seen, set(view.episode.tolist())))
        return np.zeros(len(view))


def auc_of(game: Game, scores: NDArray[np.float64]) -> float:
    rows = np.isin(game.target.role, (Role.FORGOTTEN, Role.UNSEEN))
    return auc(scores[rows], game.deleted(game.target)[rows])


@dataclass
class ByPlace(ScoreAttack):
    """Scores a row by its place in its request, since whoever lays rows out puts the deleted one first."""

    def score(self, view: View) -> NDArray[np.float64]:
        place = np.empty(len(view))
        group = view.episode * REQUESTS + view.request
        for number in np.unique(group):
            place[group == number] = np.arange(np.count_nonzero(group == number))
        return -place
