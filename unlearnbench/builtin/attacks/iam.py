"""IAM: how far an unlearned model's answer is from an original's to those of models without the record.

"Interpolated approximate measurement" (Wang et al. 2025, arXiv 2506.06112).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from unlearnbench.builtin.attacks.gaussian import Chosen, Normals, Numbers
from unlearnbench.builtin.attacks.per_record import PerRecordAttack, unlearned_odds
from unlearnbench.builtin.attacks.rmia import probability
from unlearnbench.builtin.attacks.u_lira import Outside, answers_outside
from unlearnbench.core.errors import UserError
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import log_odds

Distribution = Literal["gumbel", "normal"]
"""The distribution that is fitted to signals by their mean and standard deviation."""
EULER_GAMMA = 0.5772
"""Of the mean of a Gumbel distribution, as the authors' code rounds it."""
FARTHEST = 700.0
"""Beyond so many scales below its mode the distribution function of a Gumbel distribution is 0."""
TOGETHER = 1024
"""Rows that are scored together, so that what is computed of them stays in the cache of a processor."""


@dataclass(frozen=True)
class Iam(PerRecordAttack):
    """Score the mean of F_k(u) for k = 1 to ``steps`` - 1 with weights k, on the way to the original.

    u is the signal of the unlearned model, and F_k the distribution function of the signals of reference models without
    the record, moved by (k - 1) / (steps - 1) of the way to the signal of the original. A signal is
    -log(eps1 - log(eps2 + p)) for the posterior p of the true class, scaled to be 0 for p = 0 and 1 for p = 1. The
    paper's score, high where unlearning is complete, is 1 minus this one.

    Each distribution has the standard deviation of this record's signals. The paper's other variant takes that of all
    records in the batch, which a score of a single row cannot.

    ``references``: reference models, half of which were trained on any one record

    ``out``: what models without the record have done: ``unlearned`` other records, or ``original`` models as in the
    paper

    ``distribution``: of signals: ``gumbel`` or ``normal``

    ``steps``: how finely the way is divided

    ``eps1``: of the signal; that of the authors' code, which has another for Texas and Purchase

    ``eps2``: of the signal; that of the authors' code too
    """

    out: Outside = "unlearned"
    distribution: Distribution = "gumbel"
    steps: Annotated[int, Field(ge=2, le=1000)] = 100
    eps1: PositiveFloat = 1e-2
    eps2: PositiveFloat = 1e-5

    def __post_init__(self) -> None:
        if not self.eps1 > (least := math.log1p(self.eps2)):
            raise UserError(f"eps1: must be above log(1 + eps2) = {least:.6g}, got {self.eps1:g}")

    @property
    def needs(self) -> Needs:
        """Both models, the label, and reference models."""
        return Needs(label=True, references=self.references)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the weighted mean (n,), from 0 to 1."""
        known = view.references
        own, kept, others = unlearned_odds(view), log_odds(view.before, view.label), answers_outside(known, self.out)
        found = np.empty(len(own))
        for start in range(0, len(own), TOGETHER):
            rows = slice(start, start + TOGETHER)
            found[rows] = self._scores(own[rows], kept[rows], others[rows], ~known.member[rows])
        return found

    def _scores(self, unlearned: Numbers, original: Numbers, answers: Numbers, outside: Chosen) -> Numbers:
        own, kept, others = (self.signal(probability(odds)) for odds in (unlearned, original, answers))
        return self.remembered(own, kept, Normals.of(others, outside, "mean"))

    def signal(self, p: Numbers) -> Numbers:
        """Return the signal of posteriors of the true class."""
        low, high = self._unscaled(np.zeros(1)), self._unscaled(np.ones(1))
        return (self._unscaled(p) - low) / (high - low)

    def _unscaled(self, p: Numbers) -> Numbers:
        return np.asarray(-np.log(self.eps1 - np.log(self.eps2 + p)))

    def remembered(self, unlearned: Numbers, original: Numbers, outside: Normals) -> Numbers:
        """Return the score (n,) of signals (n,) of both models, given those of models without the record."""
        weight = np.arange(1.0, self.steps)
        left = 1 - (weight - 1) / (self.steps - 1)
        center = left * outside.center[:, None] + (1 - left) * original[:, None]
        standardized = (unlearned[:, None] - center) / (left * outside.deviation[:, None])
        return np.asarray((weight * self._share_below(standardized)).sum(axis=1) / weight.sum())

    def _share_below(self, standardized: Numbers) -> Numbers:
        """Return the distribution function of mean 0 and standard deviation 1."""
        from scipy.special import ndtr

        if self.distribution == "normal":
            return np.asarray(ndtr(standardized))
        scaled = standardized * np.pi / np.sqrt(6) + EULER_GAMMA
        return np.asarray(np.exp(-np.exp(-np.maximum(scaled, -FARTHEST))))
