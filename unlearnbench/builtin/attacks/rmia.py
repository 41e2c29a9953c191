"""RMIA: robust membership inference by pairwise likelihood ratios (Zarifzadeh et al. 2024, arXiv 2312.03262)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.builtin.attacks.gaussian import Chosen, Numbers, masked_mean
from unlearnbench.builtin.attacks.per_record import unlearned_odds
from unlearnbench.builtin.attacks.population import Size, share_below
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.references import ReferenceAnswers

Mode = Literal["offline", "online"]
"""Whether reference models that were trained on a record are used too (online)."""


@dataclass(frozen=True)
class Rmia(ScoreAttack):
    """Score the share of the population z for which (p_x / r_x) / (p_z / r_z) > gamma.

    p is the target's posterior of the true class, and r what reference models expect it to be. Offline, r is
    ((1 + a) m + 1 - a) / 2, where m is the mean posterior of the models that were not trained on the record. Online, it
    is the mean of m and of the mean posterior of the models that were; no model was trained on z, for which it is m.
    Reference models are asked before they have deleted anything. Neither ``gamma`` nor ``a`` is fitted to anything.

    ``mode``: ``offline`` or ``online``

    ``references``: reference models, half of which were trained on any one record

    ``population``: records z

    ``gamma``: the ratio that must be exceeded

    ``a``: the slope by which r is guessed offline: with 1 it is m
    """

    mode: Mode = "offline"
    references: Annotated[int, Field(ge=2)] = 16
    population: Size = 100
    gamma: Annotated[float, Field(gt=0)] = 2.0
    a: Annotated[float, Field(ge=0, le=1)] = 0.3

    @property
    def needs(self) -> Needs:
        """The unlearned model, the label, reference models and the population."""
        models, size = self.references, self.population
        return Needs(versions="unlearned", label=True, references=models, population=size)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the share (n,)."""
        known, others = view.references, view.population
        ratio = probability(unlearned_odds(view)) / self._expected(known)
        expected = self._expected_outside(cast(ReferenceAnswers, others.references))
        return share_below(ratio / self.gamma, probability(others.after) / expected, others.group)

    def _expected(self, known: ReferenceAnswers) -> Numbers:
        if self.mode == "offline":
            return self._expected_outside(known)
        return 0.5 * (mean_posterior(known, known.member) + mean_posterior(known, ~known.member))

    def _expected_outside(self, known: ReferenceAnswers) -> Numbers:
        outside = mean_posterior(known, ~known.member)
        return outside if self.mode == "online" else 0.5 * ((1 + self.a) * outside + 1 - self.a)


def mean_posterior(known: ReferenceAnswers, chosen: Chosen) -> Numbers:
    """Return the mean posterior (n,) of the true class by the chosen reference models (n, N)."""
    return masked_mean(probability(known.before), chosen)


def probability(odds: Numbers) -> Numbers:
    """Return the probability of each log-odds."""
    return 1 / (1 + np.exp(-np.clip(odds, -700, None)))
