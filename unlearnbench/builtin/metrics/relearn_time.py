"""How long a model takes to learn the deleted records again, beside a model that never had them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from unlearnbench.builtin.metrics.retraining_gap import NO_RETRAINING
from unlearnbench.core.estimates import Estimate, Scale
from unlearnbench.core.metrics import Metric, ScoredCell, Utility
from unlearnbench.stats import clustered_mean

NOT_MEASURED: Final = "the models are no networks, a request deletes no record, or the submission does not say it"


@dataclass(frozen=True)
class RelearnTime(Metric):
    """Epochs over the deleted records after which a network is as accurate on them as the original, less .05.

    Each unlearned network, and each retrained one, is trained on the records that its request deletes and on nothing
    else, by SGD of step size 0.01 and momentum 0.9 in batches of 64, the same for all; 0 for one that still knows them.
    An epoch is as many record passes as records are deleted. One that is not back after ``most`` epochs counts with
    ``most``. Fewer epochs than retraining takes mean that something of the records was left; with other step sizes the
    numbers are others. Source: the anamnesis index of Chundawat et al. 2023, arXiv 2201.05629, is the ratio of the two.

    ``most``: epochs at most
    """

    most: PositiveInt = 20

    reads_scores: ClassVar[bool] = False
    reads_retrained: ClassVar[bool] = True

    @property
    def relearns(self) -> int:
        """As many epochs."""
        return self.most

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``relearn-time``, ``relearn-time-retrained``, and the share ``relearned`` of models that came back."""
        own = self._times(cell.utility)
        retrained = self._times(cell.retrained.utility) if cell.retrained else None
        return {
            "relearn-time": _mean(own, cell, "positive"),
            "relearn-time-retrained": (
                Estimate.undefined(NO_RETRAINING) if retrained is None else _mean(retrained, cell, "positive")
            ),
            "relearned": _mean(np.where(np.isnan(own), np.nan, own < self.most), cell, "share"),
        }

    def _times(self, utility: Utility) -> NDArray[np.float64]:
        return np.minimum(utility.relearned, self.most)


def _mean(values: NDArray[np.float64], cell: ScoredCell, scale: Scale) -> Estimate:
    if np.isnan(values).any():
        return Estimate.undefined(NOT_MEASURED)
    return clustered_mean(values, cell.utility.episode, scale)
