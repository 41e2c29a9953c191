"""What a model spent of differential privacy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, Scored
from unlearnbench.stats import clustered_mean


@dataclass(frozen=True)
class Epsilon(Metric):
    """The original's epsilon, at the delta that its defense names; smaller is more private.

    It bounds what one model gives away of one record. Who sees the original and k unlearned models sees k + 1.
    """

    def measure(self, scored: Scored) -> Mapping[str, Estimate]:
        """Return epsilon, averaged over originals; undefined where training was not private."""
        utility = scored.utility
        if not np.isfinite(utility.epsilon).all():
            return {"epsilon": Estimate.undefined("trained without differential privacy")}
        return {"epsilon": clustered_mean(utility.epsilon, utility.episode)}
