"""A relative likelihood ratio, after RMIA (Zarifzadeh et al., ICML 2024, arXiv 2312.03262)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from unlearnbench import Attack, FittedAttack, Needs, ShadowView, View


@dataclass(frozen=True)
class RelativeRatio(Attack):
    """Score x by the share of a population z with LR(x) / LR(z) >= ``gamma``, LR(x) = p_before(y|x) / p_after(y|x).

    The unlearned model takes the place of RMIA's reference models, for it is one that was not trained on the record;
    the population are the shadow rows that were not deleted. Scores are shares, in [0, 1], but no probabilities of
    "deleted". Their steps are 1/population wide: with few shadow rows, low false-positive rates cannot be told apart.

    ``gamma``: by how much a record must exceed one of the population, 1 or a little more
    """

    gamma: PositiveFloat = 1.0
    needs: ClassVar[Needs] = Needs(versions="both", label=True)

    def fit(self, shadow: ShadowView, rng: np.random.Generator) -> FittedAttack:
        """Keep the population's ratios; where all were deleted, all are the population."""
        ratios = log_ratio(shadow)
        stayed = ratios[~shadow.deleted]
        return Ranked(np.sort(stayed if len(stayed) else ratios), float(np.log(self.gamma)))


@dataclass(frozen=True, eq=False)
class Ranked:
    """A population's log-ratios (m,), sorted, and the margin in nats by which they are to be exceeded."""

    population: NDArray[np.float64]
    margin: float

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the share of the population (n,) that each row exceeds, ties included."""
        below = np.searchsorted(self.population, log_ratio(view) - self.margin, side="right")
        return below / max(len(self.population), 1)


def log_ratio(view: View) -> NDArray[np.float64]:
    """Return log p_before(y|x) - log p_after(y|x), (n,), in nats."""
    rows = np.arange(len(view))
    return view.before[rows, view.label] - view.after[rows, view.label]
