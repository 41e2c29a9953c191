"""U-LiRA on both models: the likelihood ratio of the answers before and after unlearning together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from unlearnbench.builtin.attacks.gaussian import Chosen, Normals, Numbers, masked_mean
from unlearnbench.builtin.attacks.per_record import Models, unlearned_odds
from unlearnbench.core.attacks import ScoreAttack
from unlearnbench.core.observations import Needs, View
from unlearnbench.core.posteriors import log_odds


@dataclass(frozen=True)
class ULiraPair(ScoreAttack):
    """Score the log of the ratio of two bivariate normal densities at (a, a - b).

    Here b and a are the log-odds of the true class before and after unlearning. One density is that of reference models
    that were trained on the record and have deleted it, the other that of models that were never trained on it and have
    deleted other records. The second coordinate is the change, so that a shrunk correlation keeps what is known of it.
    For an unlearner that changes nothing the score is that of ``u-lira``.

    ``references``: reference models, half of which were trained on any one record

    ``shrinkage``: the share by which correlations are reduced; with 1 the coordinates are independent
    """

    references: Models = 16
    shrinkage: Annotated[float, Field(gt=0, le=1)] = 0.1

    @property
    def needs(self) -> Needs:
        """Both models, the label, and reference models."""
        return Needs(label=True, references=self.references)

    def score(self, view: View) -> NDArray[np.float64]:
        """Return the log of the likelihood ratio (n,), natural logarithm."""
        known, after = view.references, unlearned_odds(view)
        point, pairs = (after, after - log_odds(view.before, view.label)), (known.after, known.after - known.before)
        inside, outside = (self._log_density(point, pairs, chosen) for chosen in (known.member, ~known.member))
        return inside - outside

    def _log_density(self, point: tuple[Numbers, Numbers], pairs: tuple[Numbers, Numbers], chosen: Chosen) -> Numbers:
        """Return the log-density (n,) of points, by normal distributions of the chosen pairs of answers (n, N)."""
        one, other = (Normals.of(answers, chosen, "mean") for answers in pairs)
        products = (pairs[0] - one.center[:, None]) * (pairs[1] - other.center[:, None])
        covariance = masked_mean(products, chosen)
        correlation = (1 - self.shrinkage) * covariance / (one.deviation * other.deviation)
        return log_density(point, (one, other), correlation)


def log_density(point: tuple[Numbers, Numbers], margins: tuple[Normals, Normals], correlation: Numbers) -> Numbers:
    """Return the log of bivariate normal densities at ``point``, twice (n,), with these margins and correlations."""
    first, second = (margin.standardized(x) for margin, x in zip(margins, point, strict=True))
    left = 1 - correlation**2
    conditional = -0.5 * (second - correlation * first) ** 2 / left - 0.5 * np.log(2 * np.pi * left)
    return margins[0].log_density(point[0]) + conditional - np.log(margins[1].deviation)
