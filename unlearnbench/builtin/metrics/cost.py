"""What it costs to serve a request, over what retraining costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unlearnbench.builtin.metrics.utility import SAME_MACHINE
from unlearnbench.core.estimates import Estimate
from unlearnbench.core.metrics import Metric, ScoredCell
from unlearnbench.core.metrics import Utility as Models
from unlearnbench.stats import clustered_mean

NOT_COUNTED = "not counted: the unlearner does not tell its record passes"
NO_TIME = "retraining took no time that could be measured"


@dataclass(frozen=True)
class Cost(Metric):
    """Record passes and wall seconds of a request, each over those of retraining the same original for it.

    A record pass is one record forward and backward; retraining has as many as epochs times records of the retain set.
    Counted are what is trained and what edits and masks compute gradients of, not what teachers only answer, nor what
    is prepared once for an original. Exact unlearners count the records of the stages that they train again.

    Seconds are those of method and retraining with the same engine, on the same machine: the median over originals, so
    that imports and compilation, which the first one pays for, do not count. They are not reproducible.
    """

    reads_scores: ClassVar[bool] = False
    reads_retrained: ClassVar[bool] = True

    def measure(self, cell: ScoredCell) -> Mapping[str, Estimate]:
        """Return ``record-passes`` and ``seconds-over-retraining``; the second is undefined without retraining."""
        return {"record-passes": _passes(cell.utility), "seconds-over-retraining": _seconds(cell)}


def _passes(utility: Models) -> Estimate:
    if np.isnan(utility.passes).any():
        return Estimate.undefined(NOT_COUNTED)
    return clustered_mean(utility.passes, utility.episode, "positive")


def _seconds(cell: ScoredCell) -> Estimate:
    own, other = (_median(each.utility) if each else 0.0 for each in (cell, cell.retrained))
    if not other:
        return Estimate.undefined(NO_TIME)
    n = len(cell.utility.episode)
    return Estimate(own / other, n=n, status="no-interval", reason=SAME_MACHINE, scale="positive")


def _median(utility: Models) -> float:
    """Return the median over originals of the seconds of a request, which are the same for all of an original."""
    return float(np.median(_of_originals(utility.seconds_to_unlearn, utility.episode)))


def _of_originals(values: NDArray[np.float64], original: NDArray[np.int64]) -> NDArray[np.float64]:
    return values[np.unique(original, return_index=True)[1]]
