"""Hard records are deleted, by the confidence of models that were not trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import PositiveInt

from unlearnbench.builtin.scenarios.shares import Share
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario, lowest


@dataclass(frozen=True)
class LeastConfident(StratumScenario):
    """Each request deletes ``size`` of the records whose true class has the lowest probability.

    It is that of a model of the target's kind which was not trained on the record: two models are trained, each on a
    random half of the candidates, and asked about the other half. This is a cheap proxy of ``memorised``, and another
    quantity: such records are hard, whether or not a model memorises them. Negatives are unseen records of the same
    ``share``.

    ``size``: records per request; null for all such records, in one request

    ``share``: of the candidates that count as such
    """

    size: PositiveInt | None = 1
    share: Share = 0.1

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the least confident ones."""
        n = len(candidates.ids)
        half = seeds.permutation(n) < n // 2
        first, second = (
            model.log_posteriors(candidates.x)[np.arange(n), candidates.y]
            for model in candidates.train([half, ~half], seeds / "halves")
        )
        return [candidates.ids[np.sort(lowest(np.where(half, second, first), self.share, seeds / "ties"))]]
