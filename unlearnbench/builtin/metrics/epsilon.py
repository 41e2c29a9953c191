"""The privacy loss of differentially private training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class Epsilon(Metric):
    """The original's epsilon, at the delta of its defense; smaller is more private.

    It bounds the leak of one model. An adversary that queries the original and k unlearned models queries k + 1 models.
    """

    reads_scores: ClassVar[bool] = False

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return epsilon, averaged over originals; undefined where training was not private."""
        utility = cell.utility
        if not np.isfinite(utility.epsilon).all():
            return {"epsilon": Estimate.undefined("trained without differential privacy")}
        return {"epsilon": clustered_mean(utility.epsilon, utility.episode, "positive")}
