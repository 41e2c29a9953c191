"""Views of rows of two classes with given log-odds, reference models and population: for worked examples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
