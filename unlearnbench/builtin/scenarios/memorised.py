"""Memorised records are deleted, or such as are not: by a bank of models that were trained with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveInt

from unlearnbench.builtin.scenarios.shares import Share
from unlearnbench.core.seeding import SeedPath
from unlearnbench.core.strata import Candidates, Ids, StratumScenario, lowest

NEAR = {"low": 0.0, "mid": 0.5, "high": 1.0}
"""The memorisation that each level is nearest to."""


@dataclass(frozen=True)
class Memorised(StratumScenario):
    """Each request deletes ``size`` of the records whose memorisation is nearest to that of ``level``.

    Memorisation of a record: the share of models that classify it correctly among those trained on it, less that among
    the others (Feldman and Zhang 2020, arXiv 2008.03703). The ``models`` are of the target's kind, each trained on a
    random half of the candidates, every second one on the other half: half of them had each record. Levels and ties are
    ours: 0, 0.5 and 1; ties are drawn. Negatives are unseen records of the same ``share``. A bank is trained once per
    original, for all unlearners.

    ``size``: records per request; null for all such records, in one request

    ``level``: low (0), mid (0.5) or high (1)

    ``share``: of the candidates that count as such

    ``models``: of the bank, an even number
    """

    size: PositiveInt | None = 1
    level: Literal["low", "mid", "high"] = "high"
    share: Share = 0.1
    models: Annotated[int, Field(ge=16, multiple_of=2)] = 16

    def strata(self, candidates: Candidates, seeds: SeedPath) -> Sequence[Ids]:
        """Return the records of the level."""
        distance = np.abs(memorisation(candidates, self.models, seeds) - NEAR[self.level])
        return [candidates.ids[np.sort(lowest(distance, self.share, seeds / "ties"))]]


def memorisation(candidates: Candidates, models: int, seeds: SeedPath) -> NDArray[np.float64]:
    """Return the memorisation (n,) of the candidates, in [-1, 1], by an even number of ``models``."""
    n = len(candidates.ids)
    halves = [(seeds / "half" / pair).permutation(n) < n // 2 for pair in range(models // 2)]
    trained = np.stack([part for half in halves for part in (half, ~half)])
    correct = np.stack(
        [
            model.log_posteriors(candidates.x).argmax(axis=1) == candidates.y
            for model in candidates.train(list(trained), seeds / "bank")
        ]
    )
    each = models // 2
    return np.asarray((correct & trained).sum(axis=0) / each - (correct & ~trained).sum(axis=0) / each)
