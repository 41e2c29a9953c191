"""Views of rows of two classes with given log-odds, reference models and population: for worked examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import View
from unlearnbench.core.posteriors import log_softmax
from unlearnbench.core.references import PopulationAnswers, ReferenceAnswers
from unlearnbench.testing.samples import game_of

Numbers = NDArray[np.float64]


def posteriors(odds: Numbers) -> Numbers:
    """Return posteriors (n, 2), of which the first class has these log-odds (n,)."""
    return np.exp(log_softmax(np.stack([odds, np.zeros_like(odds)], axis=1)))


def scores(
    attack: ScoreAttack,
    after: ArrayLike,
    references: ReferenceAnswers | None = None,
    population: PopulationAnswers | None = None,
    before: ArrayLike | None = None,
) -> Numbers:
    """Return the scores (n,) of rows whose models answer with these log-odds of the true class (n,)."""
    odds = np.asarray(after, dtype=float)
    earlier = odds if before is None else np.asarray(before, dtype=float)
    rows = game_of(posteriors(earlier), posteriors(odds), np.zeros(len(odds), dtype=np.int64), [True] * len(odds))
    view: Any = replace(rows.view(attack.needs), _references=references, _population=population)
    return attack.score(View(**vars(view)))


def same_before(answers: Numbers, member: NDArray[np.bool_]) -> ReferenceAnswers:
    """Return reference models that answer the same before and after unlearning."""
    return ReferenceAnswers(answers, answers, member)


Draws = tuple[Numbers, Numbers, ReferenceAnswers, np.ndarray[tuple[int], np.dtype[np.bool_]]]


def draws(seed: int, kept: float, noise: float = 0.0, n: int = 60, models: int = 16) -> Draws:
    """Return answers of a target before and after, and of reference models, and which records were deleted.

    A record lifts the log-odds by one; unlearning keeps the share ``kept`` of that and adds ``noise`` to all answers.
    """
    rng = np.random.default_rng(seed)
    level = rng.normal(scale=2.0, size=(n, 1))
    half = np.argsort(rng.random((n, models)), axis=1) < models // 2
    member = np.concatenate([half, (np.arange(n) % 2 == 0)[:, None]], axis=1)
    chance = level + 0.5 * rng.normal(size=(n, models + 1))
    before = chance + member
    after = chance + kept * member + 0.1 * rng.normal(size=before.shape) + noise * rng.normal(size=before.shape)
    known = ReferenceAnswers(before[:, :-1].copy(), after[:, :-1].copy(), member[:, :-1].copy())
    return before[:, -1], after[:, -1], known, member[:, -1]


def auc(attack: ScoreAttack, case: Draws) -> float:
    before, after, known, deleted = case
    return float(roc_auc_score(deleted, scores(attack, after, known, before=before)))


def null_draws(seed: int) -> Draws:
    """Return draws in which a record leaves no trace, before or after, so that deleted and unseen are alike."""
    before, after, known, deleted = draws(seed, kept=0.0)
    return (
        before - deleted,
        after,
        ReferenceAnswers(known.before - known.member, known.after, known.member),
        deleted,
    )
